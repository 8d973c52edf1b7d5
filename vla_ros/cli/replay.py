"""vla-ros replay: recompute an audit log and say whether everything comes out the same."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from vla_ros.lab import outputs

TEXT = "recompute an audit log; exit code 0: the same to the bit, 1: not, 2: no log"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("log", help="a .vlalog file, or a folder of them")
    parser.add_argument("--json", type=outputs.file, default="", metavar="FILE", help="write the result there")


def run(chosen: argparse.Namespace) -> int:
    """Replay and print."""
    from vla_ros.safety.audit.replay import replay

    try:
        report = replay(Path(chosen.log).expanduser())
    except OSError as error:
        print(f"vla-ros replay: {error}", file=sys.stderr)
        return 2
    print(
        f"{report.files} files, {report.starts} starts, {report.records} records: "
        f"{report.ticks} ticks over {report.seconds:.1f} s of filter time, {report.calls} calls"
    )
    for text in (*report.skipped, *report.gaps, *report.cut):
        print(text)
    if report.lost:
        print(f"{report.lost} records could not be written when the log was made, and say so in it")
    if report.other_code:
        print("the log was made by another version of the filter's code")
    missing = "records are missing that were written: a file has been removed or shortened" if report.missing else ""
    same = "every answer and every decision came out the same to the bit"
    print(report.damaged or report.difference or missing or same)
    if chosen.json:
        Path(chosen.json).write_text(json.dumps({**dataclasses.asdict(report), "same": report.same}, indent=1))
    return 0 if report.same else 1
