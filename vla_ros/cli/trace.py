"""The command `vla-ros trace`: how long each hop from the camera to the arm controller takes, and what was decided."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from vla_ros.lab import outputs
from vla_ros.lab.json_output import add_json_option, write_json
from vla_ros.tracing.hops import HOPS, HopTracker

if TYPE_CHECKING:
    from rich.table import Table

    from vla_ros.time import Summary
    from vla_ros.tracing.reasoning import ReasoningEntry

TEXT = "follow camera frames to the arm controller; exit code 0: some arrived, 1: none did, 2: nobody there"
WIDTH_WITHOUT_TERMINAL = 140
"""Columns."""
MEANINGS = {name: text for name, _, _, text in HOPS} | {
    "of it in System 2": "one call of the policy's planning half",
    "of it in System 1": "from request to result of its moving half",
    "joint state to controller": "age of the newest measured state when something is sent",
}


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    command.add_argument("--namespace", default="", help="namespace of the arm")
    command.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="how long to look (default 10); 0: until Ctrl-C"
    )
    command.add_argument(
        "--perfetto", type=outputs.file, default="", metavar="FILE", help="write a trace for ui.perfetto.dev"
    )
    command.add_argument(
        "--reasoning",
        default="",
        metavar="FILE",
        help="write instructions, plans, decisions as JSON lines; - for the screen",
    )
    add_json_option(command, "the table")


def run(chosen: argparse.Namespace) -> int:
    """Listen, then print; return the exit code."""
    from vla_ros.ros.tracer import connect_tracer
    from vla_ros.tracing import perfetto

    if not 0.0 <= chosen.seconds < 1e6:
        return _refuse(f"--seconds {chosen.seconds:g}: must be a time in s")
    with ExitStack() as stack:
        lines: IO[str] | None = None
        try:
            if chosen.reasoning:
                lines = sys.stdout if chosen.reasoning == "-" else stack.enter_context(Path(chosen.reasoning).open("w"))
        except OSError as error:
            return _refuse(str(error))

        def write(entry: ReasoningEntry) -> None:
            if lines is not None:
                print(entry.line(), file=lines, flush=True)

        connected = stack.enter_context(connect_tracer(chosen.namespace, write))
        with suppress(KeyboardInterrupt):
            connected.spin(time.monotonic() + chosen.seconds if chosen.seconds else float("inf"))
        hops, reasoning = connected.hops, connected.reasoning
    if chosen.perfetto:
        Path(chosen.perfetto).write_text(json.dumps(perfetto.trace(hops.complete(), reasoning.entries)) + "\n")
    if not connected.messages:
        return _refuse("nobody speaks: start the graph (vla-ros up), or give --namespace")
    show(hops, chosen.json)
    if missing := hops.missing():
        print(f"vla-ros: no frame went all the way: {missing}", file=sys.stderr)
    return int(bool(missing))


def show(hops: HopTracker, target: str | None = None) -> None:
    """Print the table, and write its numbers where --json says."""
    from rich.console import Console

    summaries = hops.summaries()
    Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL).print(table(summaries))
    print(f"{len(hops.complete())} of {len(hops.traces)} frames were followed all the way. The filter plays setpoints")
    print("back command.delay_s later than it takes them in; that comes on top (docs/safety.md).")
    numbers = {name: _milliseconds(summary) for name, summary in summaries.items()}
    write_json(target, {"frames": len(hops.traces), "complete": len(hops.complete()), "hops_ms": numbers})


def table(summaries: dict[str, Summary]) -> Table:
    """Return the hops for a terminal."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("hop", "count", "p50, ms", "p95, ms", "p99, ms", "max, ms", "from → to"):
        made.add_column(title, justify="left" if title in ("hop", "from → to") else "right")
    for name, summary in summaries.items():
        numbers = [f"{1e3 * v:.1f}" for v in (summary.p50, summary.p95, summary.p99, summary.largest)]
        made.add_row(name, str(summary.count), *(numbers if summary.count else ["–"] * 4), MEANINGS[name])
    return made


def _milliseconds(summary: Summary) -> dict[str, float | int | None]:
    values = {"p50": summary.p50, "p95": summary.p95, "p99": summary.p99, "max": summary.largest}
    known = {key: round(1e3 * value, 3) if summary.count else None for key, value in values.items()}
    return {"count": summary.count, **known}


def _refuse(why: str) -> int:
    print(f"vla-ros: {why}", file=sys.stderr)
    return 2
