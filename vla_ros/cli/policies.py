"""The command `vla-ros policies`: which policies there are, what each needs, and whether it is installed here."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass

from vla_ros.lab.json_output import add_json_option, write_json
from vla_ros.parameters import ParameterError

TEXT = "list the policies, those of other packages too: what each needs, and whether it is installed"


@dataclass(frozen=True)
class PolicyLine:
    """One policy of the list.

    Attributes:
        state: "installed"; "absent: torch, ..."; or "broken".
        text: what it needs; of a broken one, why it cannot be used.
    """

    name: str
    package: str
    state: str
    text: str


def policy_lines() -> list[PolicyLine]:
    """Return a line for every policy, sorted by name. A package that is broken is a line, too."""
    from vla_ros.policies.registry import names, owner, policy

    lines = []
    for name in names():
        try:
            entry = policy(name)
        except ParameterError as error:
            lines.append(PolicyLine(name, owner(name), "broken", str(error)))
            continue
        absent = entry.absent
        text = entry.needs + (f"; {entry.install}" if absent and entry.install else "")
        state = f"absent: {', '.join(absent)}" if absent else "installed"
        lines.append(PolicyLine(name, owner(name), state, text.removeprefix("; ")))
    return lines


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    add_json_option(parser, "the list")


def run(chosen: argparse.Namespace) -> int:
    """Print the list; return 1 when a policy is broken."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    colours = {"installed": "green", "broken": "red"}
    table = Table("policy", "package", "here", "needs", highlight=False)
    lines = policy_lines()
    for line in lines:
        table.add_row(
            line.name, Text(line.package), Text(line.state, colours.get(line.state, "yellow")), Text(line.text)
        )
    console.print(table)
    write_json(chosen.json, [asdict(line) for line in lines])
    return int(any(line.state == "broken" for line in lines))
