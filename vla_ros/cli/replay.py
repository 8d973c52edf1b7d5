"""vla-ros replay: recompute an audit log and say whether everything comes out the same."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from vla_ros.lab.json_output import add_json_option, write_json
from vla_ros.parameters import ParameterError

TEXT = "recompute an audit log; exit code 0: the same to the bit, 1: not, 2: no log"
SHIPPED = ("sim", "franka")
"""Configurations of which the one with the log's joints is compared with it."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("log", help="a .vlalog file, or a folder of them")
    add_json_option(parser, "the result")
    parser.add_argument(
        "--robot",
        default="",
        metavar="NAME",
        help="compare the log's parameters with this configuration: a file, or the name of one in config/; exit code 1 "
        "when they differ (default: compared with the shipped one for the same joints, for information)",
    )
    parser.add_argument("--config", default="", metavar="FILE", help="parameter file laid over the robot's")


def run(chosen: argparse.Namespace) -> int:
    """Replay and print."""
    from vla_ros.safety.audit.replay import replay

    try:
        report = replay(Path(chosen.log).expanduser())
        differing = _differences(report.newest.get("parameters"), chosen.robot, chosen.config)
    except (OSError, ParameterError) as error:
        print(f"vla-ros replay: {error}", file=sys.stderr)
        return 2
    print(
        f"{report.files} files, {report.starts} starts, {report.records} records: "
        f"{report.ticks} ticks over {report.seconds:.1f} s of filter time, {report.calls} calls"
    )
    for text in (*report.coverage, *report.skipped, *report.other_formats, *report.latches, *report.parameters):
        print(text)
    for text in (*report.gaps, *report.broken, *report.cut, *differing):
        print(text)
    if report.cut_messages:
        print(f"{report.cut_messages} long messages are recorded by their beginning and by what they changed")
    if report.lost:
        print(f"{report.lost} records could not be written when the log was made, and say so in it")
    if report.other_code:
        print("the log was made by another version of the filter's code")
    missing = "records are missing that were written: a file has been removed or shortened" if report.missing else ""
    if report.missing_files:
        missing = f"files are missing that no filter has deleted: number {report.missing_files}"
    broken = "the files are not those that were written" if report.broken else ""
    same = "every answer and every decision came out the same to the bit"
    print(report.damaged or report.difference or missing or broken or same)
    asked = bool(chosen.robot or chosen.config)
    write_json(chosen.json, {**dataclasses.asdict(report), "same": report.same, "parameters_differ": differing})
    return 0 if report.same and not (asked and differing) else 1


def _differences(logged: dict[str, Any] | None, robot: str, config: str) -> list[str]:
    """Return how the parameters of the log differ from those that the filter would be started with now."""
    from vla_ros.bringup.graph import parameters_of
    from vla_ros.parameters import from_mapping, nested
    from vla_ros.safety.audit.snapshot import differences
    from vla_ros.safety.safety_parameters import SafetyFilterParameters

    asked = bool(robot or config)
    for name in [robot or "sim"] if asked else SHIPPED:
        try:
            flat = parameters_of("safety_filter", robot=name, config=config)
            now = dataclasses.asdict(from_mapping(SafetyFilterParameters, nested(flat), "safety_filter."))
        except ParameterError:
            if asked:
                raise
            continue
        if logged is not None and (asked or now["joint_names"] == logged.get("joint_names")):
            return differences(logged, now, "the log", f"the configuration of {name} now")
    return []
