"""The command `vla-ros check-recording FILE`: which limits a recorded stream of commands breaks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vla_ros.lab.json_output import add_json_option, write_json

if TYPE_CHECKING:
    from vla_ros.safety.safety_parameters import SafetyFilterParameters

TEXT = "judge a recorded command stream; exit code 0: within every limit, 1: some limit broken, 2: not readable"


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    command.add_argument(
        "file", help="CSV (time in s, then one column per joint), rosbag2 folder, .mcap, .db3, or the filter's .vlalog"
    )
    command.add_argument(
        "--robot",
        default="",
        help="whose limits: a file, or the name of one in config/; default: the log's own, else sim",
    )
    command.add_argument("--config", default="", help="parameter file laid over the robot's")
    command.add_argument(
        "--urdf", default="", metavar="FILE", help="URDF; default: the configuration's, or the simulated arm's"
    )
    command.add_argument("--topic", default="", help="of a bag; default: the only one that fits")
    command.add_argument(
        "--signal", default="command", help="of the simulated controller's log: command, setpoint, measured"
    )
    command.add_argument(
        "--period", type=float, default=0.0, metavar="S", help="samples lie so far apart, whatever their stamps say"
    )
    command.add_argument("--from-rest", action="store_true", help="the arm stood at the first sample before it")
    add_json_option(command, "the findings")


def run(chosen: argparse.Namespace) -> int:
    """Judge and print; return the exit code."""
    from vla_ros.oracle import SIGNALS, UnreadableRecording, judge_recording
    from vla_ros.parameters import ParameterError

    try:
        if chosen.signal not in SIGNALS:
            raise UnreadableRecording(f"--signal {chosen.signal}: there are {', '.join(SIGNALS)}")
        if not 0.0 <= chosen.period < 1e3:
            raise UnreadableRecording(f"--period {chosen.period}: must be a time in s")
        path = Path(chosen.file).expanduser()
        parameters, urdf = _configuration(chosen, path)
        reports = judge_recording(
            path,
            parameters,
            urdf,
            topic=chosen.topic,
            signal=chosen.signal,
            period_s=chosen.period,
            from_rest=chosen.from_rest,
        )
    except (UnreadableRecording, ParameterError) as error:
        print(f"vla-ros: {error}", file=sys.stderr)
        return 2
    broken = any(report.broken for report in reports)
    print("\n".join(report.text() for report in reports))
    print(f"{chosen.file}: {'limits are broken' if broken else 'within every limit'}")
    write_json(chosen.json, {"broken": broken, "streams": [report.json() for report in reports]})
    return int(broken)


def _configuration(chosen: argparse.Namespace, path: Path) -> tuple[SafetyFilterParameters, str]:
    """The parameters and the URDF that are meant: those of the command line, else those in the filter's own log."""
    from vla_ros.bringup.safety_configuration import safety_configuration
    from vla_ros.oracle import configuration_of_log, is_log
    from vla_ros.robot.urdf import read_urdf

    if chosen.robot or chosen.config or not is_log(path):
        return safety_configuration(chosen.robot or "sim", chosen.config, chosen.urdf)
    parameters, urdf = configuration_of_log(path)
    return parameters, read_urdf(chosen.urdf) if chosen.urdf else urdf
