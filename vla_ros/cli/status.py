"""The command `vla-ros status`: every node, its rate, ages and misses, and why it is not OK."""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import TYPE_CHECKING

from vla_ros.lab.json_output import add_json_option, write_json
from vla_ros.tracing.graph_status import SILENT_S, GraphStatus
from vla_ros.tracing.told_lines import NUMBERS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from vla_ros.ros.client import Client

TEXT = "show every node: state, rate, ages, misses, why not OK; exit code of --once: 0 all OK, 1 not, 2 nobody there"
WIDTH_WITHOUT_TERMINAL = 160
"""Columns."""
COLOURS = {"OK": "green", "WARN": "yellow", "ERROR": "red", "STALE": "red", "SILENT": "red"}
COLUMNS = ("node", "state", "rate, Hz", "misses", "age p50, ms", "p95, ms", "why")


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    command.add_argument("--namespace", default="", help="namespace of the arm")
    command.add_argument("--once", action="store_true", help="print once and end")
    add_json_option(command, "all of it, once,")


def run(chosen: argparse.Namespace) -> int:
    """Show until Ctrl-C, or once; return the exit code."""
    from rich.console import Console
    from rich.live import Live

    from vla_ros.ros.client import connect

    with connect(chosen.namespace) as connected:
        if chosen.once or chosen.json:
            connected.spin(SILENT_S)  # all of it: only then is it known which other nodes there are
        elif not sys.stdout.isatty():
            _print_changes(connected)
        else:
            with Live(table(connected.graph_status()), refresh_per_second=4) as live:
                while True:
                    connected.spin(0.5)
                    live.update(table(connected.graph_status()))
        status = connected.graph_status()
    write_json(chosen.json, status.json())
    if status.reports:
        Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL).print(table(status))
    if not status.reports:
        print("vla-ros: no node is heard: start the graph (vla-ros up), or give --namespace", file=sys.stderr)
        return 2
    return 0 if status.ok() else 1


def _print_changes(connected: Client) -> None:
    """Print a line for each change, for ever: a file or a pipe does not show a table that is drawn over."""
    before: dict[str, str] = {}
    connected.spin(SILENT_S)
    while True:
        now = change_lines(connected.graph_status())
        for name, line in now.items():
            if NUMBERS.sub("#", line) != NUMBERS.sub("#", before.get(name, "")):
                print(f"{time.strftime('%H:%M:%S')} {name} {line}", flush=True)
        before = now
        connected.spin(0.5)


def change_lines(status: GraphStatus) -> dict[str, str]:
    """Return what there is to say of each node, and of filter, plan and question, as one line each."""
    lines = {row.node: f"{row.level} {row.why}".rstrip() for row in status.rows()}
    others = (("graphs", status.several_graphs), ("filter", status.filter), ("plan", status.plan))
    return lines | {name: text for name, text in (*others, ("question", status.question)) if text}


def table(status: GraphStatus) -> RenderableType:
    """Return the status for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in COLUMNS:
        made.add_column(title, justify="left" if title in ("node", "state", "why") else "right")
    for row in status.rows():
        state = Text(row.level, COLOURS[row.level])
        columns = ((row.rate_hz, 1), (row.misses, 0), (row.age_p50_ms, 0), (row.age_p95_ms, 0))
        made.add_row(row.node, state, *(_number(value, digits) for value, digits in columns), Text(row.why))
    lines = [("graphs", status.several_graphs), ("filter", status.filter), ("plan", status.plan)]
    lines += [("question", status.question), ("others", ", ".join(status.others))]
    if len(status.hosts) > 1:
        lines += [("host", f"{host}: {', '.join(nodes)}") for host, nodes in status.hosts.items()]
    lines += [("differ", line) for line in status.differences]
    return Group(made, *(Text(f"{name:9}{text}") for name, text in lines if text))


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"
