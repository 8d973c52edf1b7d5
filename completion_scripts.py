"""Writes what bash and zsh complete `vla-ros` with, into completion/: python completion_scripts.py.

The scripts are static: a TAB starts no Python. They are made from the command line by shtab (requirements-dev.txt).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import shtab

from vla_ros.bringup.graph import NODE_NAMES
from vla_ros.cli.main import COMMANDS, parser
from vla_ros.control.chunk_player import CHUNK_TRANSITIONS
from vla_ros.policies.registry import POLICIES
from vla_ros.resources import share

FOLDER = share() / "completion"
FILES = {"bash": FOLDER / "vla-ros.bash", "zsh": FOLDER / "_vla-ros"}
"""Shell → script."""
PATHS = {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY, "CHECKPOINT": shtab.DIRECTORY}
"""What stands for the value in the help → what it is completed with."""


def words() -> dict[str, list[str]]:
    """Return option → its values, of options that take a name."""
    robots = [path.stem for path in sorted((share() / "config").glob("*.yaml")) if "safety_filter" in path.read_text()]
    return {
        "--policy": sorted(POLICIES),
        "--robot": robots,
        "--system2": ["vlm"],
        "--chunk-transition": sorted(CHUNK_TRANSITIONS),
        "--only": list(NODE_NAMES),
        "--without": list(NODE_NAMES),
        "--scenes": ["varied", "plain"],
        "--signal": ["command", "setpoint", "measured"],
    }


def actions(top: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield every argument of every command."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from actions(inner)
        else:
            yield action


def script(shell: str) -> str:
    """Return the script of a shell, bash or zsh."""
    top, named = parser(COMMANDS), words()
    for action in actions(top):
        metavar = action.metavar if isinstance(action.metavar, str) else ""
        if action.dest in ("config", "log", "file", "urdf"):
            metavar = "FILE"
        for option in action.option_strings:
            action.choices = action.choices or named.get(option)
        if metavar in PATHS and action.choices is None:
            action.complete = PATHS[metavar]  # type: ignore[attr-defined]
    head, _, rest = shtab.complete(top, shell).partition("\n")
    made = "# Made by completion_scripts.py with shtab (MPL-2.0); do not edit."
    # zsh knows a completion by its first line.
    lines = [head, made, rest] if head.startswith("#compdef") else [made, rest]
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines()) + "\n"


if __name__ == "__main__":
    for name, file in FILES.items():
        Path(file).write_text(script(name))
