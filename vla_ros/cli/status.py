"""The command `vla-ros status`: every node, its rate, ages and misses, and why it is not OK."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

TEXT = "show every node: state, rate, ages, misses, why not OK; exit code of --once: 0 all OK, 1 not, 2 nobody there"
EXPECTED = ("safety_filter", "camera", "planner", "action_expert")
"""Without these the arm does nothing; others (sim_arm, dashboard, a driver) are shown where they speak."""
LEVELS = ("OK", "WARN", "ERROR", "STALE")
SILENT_S = 2.5
"""/diagnostics comes once a second."""
AGES = {
    "camera": ("image_age_p50_ms", "image_age_p95_ms"),
    "planner": ("frame_to_plan_p50_ms", "frame_to_plan_p95_ms"),
    "action_expert": ("plan_age_p50_ms", "plan_age_p95_ms"),
    "safety_filter": ("camera_to_command_p50_ms", "camera_to_command_p95_ms"),
}
"""Per node the median and p95 age, since the camera's image, of what it sends."""
PAPER = 160
"""Columns where there is no terminal to ask."""
COLOURS = {"OK": "green", "WARN": "yellow", "ERROR": "red", "STALE": "red", "SILENT": "red"}


@dataclass(frozen=True)
class Report:
    """What one node said last on /diagnostics. heard_s: seconds ago."""

    name: str
    level: int
    message: str
    values: Mapping[str, str]
    heard_s: float


@dataclass(frozen=True)
class Row:
    """One line of the table. rate_hz, misses, ages: NaN where the node does not say."""

    node: str
    level: str
    rate_hz: float
    misses: float
    age_p50_ms: float
    age_p95_ms: float
    why: str


@dataclass(frozen=True)
class Snapshot:
    """Everything that is shown. filter, plan, question: in words; empty while nothing was heard."""

    reports: Sequence[Report]
    filter: str = ""
    plan: str = ""
    question: str = ""

    def rows(self) -> list[Row]:
        """One row a node: those that must be there first."""
        heard = {report.name: report for report in self.reports}
        names = [*EXPECTED, *sorted(set(heard) - set(EXPECTED))]
        return [_row(name, heard.get(name)) for name in names]

    def ok(self) -> bool:
        """Whether every node that must be there is, and none complains."""
        return all(row.level == "OK" for row in self.rows())

    def json(self) -> dict[str, Any]:
        """The same for programs; numbers that nobody knows are null."""
        nodes = {}
        values = {report.name: dict(report.values) for report in self.reports}
        for row in self.rows():
            fields = {key: _known(value) for key, value in vars(row).items() if key != "node"}
            nodes[row.node] = {**fields, "values": values.get(row.node, {})}
        return {"ok": self.ok(), "filter": self.filter, "plan": self.plan, "question": self.question, "nodes": nodes}

    def table(self) -> RenderableType:
        """For a terminal."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("node", "state", "rate, Hz", "misses", "age p50, ms", "p95, ms", "why"):
            table.add_column(title, justify="left" if title in ("node", "state", "why") else "right")
        for row in self.rows():
            state = Text(row.level, COLOURS[row.level])
            numbers = [
                _number(v, d) for v, d in ((row.rate_hz, 1), (row.misses, 0), (row.age_p50_ms, 0), (row.age_p95_ms, 0))
            ]
            table.add_row(row.node, state, *numbers, Text(row.why))
        lines = [("filter", self.filter), ("plan", self.plan), ("question", self.question)]
        return Group(table, *(Text(f"{name:9}{said}") for name, said in lines if said))


def _row(name: str, report: Report | None) -> Row:
    nan = math.nan
    if report is None:
        return Row(name, "SILENT", nan, nan, nan, nan, "not heard: is it running, and in this namespace?")
    keys = ("rate_hz", "deadline_misses", *AGES.get(name, ("", "")))
    rate_hz, misses, age_p50_ms, age_p95_ms = (_float(report.values.get(key)) for key in keys)
    level, why = LEVELS[min(report.level, len(LEVELS) - 1)], report.message
    if report.heard_s > SILENT_S:
        level, why = "SILENT", f"for {report.heard_s:.0f} s; before: {report.message}"
    return Row(name, level, rate_hz, misses, age_p50_ms, age_p95_ms, why)


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _known(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line; --namespace is declared by `vla_ros.cli.main`."""
    command.add_argument("--once", action="store_true", help="print once and end")
    command.add_argument("--json", action="store_true", help="print once as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Show until Ctrl-C, or once; the exit code."""
    from rich.console import Console
    from rich.live import Live

    from vla_ros.ros.client import client

    with client(chosen.namespace) as talk:
        if chosen.once or chosen.json:
            talk.spin(SILENT_S)  # all of it: who else there is, only time tells
        else:
            with Live(talk.snapshot().table(), refresh_per_second=4) as live:
                while True:
                    talk.spin(0.5)
                    live.update(talk.snapshot().table())
        shown = talk.snapshot()
    if chosen.json:
        print(json.dumps(shown.json(), indent=2))
    elif shown.reports:
        Console(width=None if sys.stdout.isatty() else PAPER).print(shown.table())
    if not shown.reports:
        print("vla-ros: no node is heard: start the graph (vla-ros up), or give --namespace", file=sys.stderr)
        return 2
    return 0 if shown.ok() else 1
