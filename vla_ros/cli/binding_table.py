"""Prints what a checkpoint wants against what a robot has."""

from __future__ import annotations

import sys
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vla_ros.bringup.binding_check import BindingReport

COLOURS = {"ok": "green", "mapped": "cyan", "refused": "red"}
WIDTH = 120
"""Columns of a table that no terminal shows."""


def print_table(report: BindingReport, file: TextIO | None = None) -> None:
    """Print the table of a report, and below it what to write for each row that is refused. file: None: standard output."""
    file = file or sys.stdout
    console = Console(file=file, width=None if file.isatty() else WIDTH)
    table = Table(title=f"{report.policy}: {report.source}", title_justify="left", highlight=False, box=box.SIMPLE_HEAD)
    for header in ("", "what", "the checkpoint wants", "the robot has"):
        table.add_column(header, overflow="fold")
    for row in report.rows:
        verdict = Text(row.verdict, style=COLOURS[row.verdict])
        table.add_row(verdict, Text(row.what), Text(row.wants), Text(row.has))
    console.print(table)
    remedies = [f"{row.what}: {row.remedy}" for row in report.rows if row.remedy]
    for remedy in remedies:
        console.print(Text(remedy), soft_wrap=True)
    if remedies:
        where = f"/**: {{ros__parameters: {{{report.policy}: {{binding: {{...}}}}}}}}"
        console.print(Text(f"binding.* stands in the robot's file, or in one for --config: {where}"), soft_wrap=True)
