"""The command `vla-ros completion`: the script that completes vla-ros in a shell. A workspace's setup reads it by itself."""

from __future__ import annotations

import argparse

TEXT = 'print what a shell completes vla-ros with; in .bashrc: eval "$(vla-ros completion bash)"'
FILES = {"bash": "vla-ros.bash", "zsh": "_vla-ros"}
"""Shell → script, which completion_scripts.py writes."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("shell", choices=sorted(FILES), help="that is to complete")


def run(chosen: argparse.Namespace) -> int:
    """Print the script."""
    from vla_ros.resources import share

    print((share() / "completion" / FILES[chosen.shell]).read_text(encoding="utf-8"), end="")
    return 0
