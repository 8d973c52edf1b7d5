"""The command `vla-ros audit FILE`: which limits a recorded stream of commands breaks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vla_ros.oracle.report import Report
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
    command.add_argument("--json", default="", metavar="FILE", help="write the findings there; - for the screen")


def run(chosen: argparse.Namespace) -> int:
    """Judge and print; the exit code."""
    from vla_ros.oracle.oracle import Oracle
    from vla_ros.oracle.recordings import log
    from vla_ros.oracle.recordings.choice import SIGNALS, Choice, Unreadable
    from vla_ros.oracle.recordings.read import read
    from vla_ros.parameters import ParameterError

    try:
        if chosen.signal not in SIGNALS:
            raise Unreadable(f"--signal {chosen.signal}: there are {', '.join(SIGNALS)}")
        if not 0.0 <= chosen.period < 1e3:
            raise Unreadable(f"--period {chosen.period}: must be a time in s")
        path = Path(chosen.file).expanduser()
        parameters, urdf = (
            configuration(chosen.robot or "sim", chosen.config, chosen.urdf)
            if chosen.robot or chosen.config or not log.is_log(path)
            else recorded(path, chosen.urdf)
        )
        joints, gripper = tuple(parameters.joint_names), parameters.controller.gripper_joint
        unnamed = tuple(name for name in joints if name != gripper)
        choice = Choice(joints, unnamed, chosen.topic, parameters.controller.topic, chosen.signal)
        oracle = Oracle(urdf, parameters)
        streams = [each.spaced(chosen.period, chosen.from_rest) for each in read(path, choice)]
    except (Unreadable, ParameterError) as error:
        print(f"vla-ros: {error}", file=sys.stderr)
        return 2
    reports = [oracle.judge(stream) for stream in streams]
    broken = any(report.broken for report in reports)
    if chosen.json:
        text = json.dumps({"broken": broken, "streams": [report.json() for report in reports]}, indent=2) + "\n"
        if chosen.json == "-":
            print(text, end="")
        else:
            try:
                Path(chosen.json).write_text(text)
            except OSError as error:
                raise ParameterError(f"--json {chosen.json}: {error.strerror}") from None
    if chosen.json != "-":
        print("\n".join(report.text() for report in reports))
        print(f"{chosen.file}: {'limits are broken' if broken else 'within every limit'}")
    return int(broken)


def audited(path: Path) -> list[Report]:
    """Judge what the filter's own log says it sent, one report per run of the filter.

    Raises:
        ParameterError, Unreadable: see `recorded` and `recordings.log.read`.
    """
    from vla_ros.oracle.oracle import Oracle
    from vla_ros.oracle.recordings import log
    from vla_ros.oracle.recordings.choice import Choice

    parameters, urdf = recorded(path, "")
    joints = tuple(parameters.joint_names)
    oracle = Oracle(urdf, parameters)
    return [oracle.judge(stream) for stream in log.read(path, Choice(joints, joints, "", "", "command"))]


def configuration(robot: str, config: str, urdf: str) -> tuple[SafetyFilterParameters, str]:
    """The filter's parameters and the URDF's text that the command line means.

    Raises:
        ParameterError: a file cannot be read, or there is no URDF.
    """
    from vla_ros.bringup.graph import parameters_of
    from vla_ros.parameters import ParameterError, from_mapping, nested
    from vla_ros.safety.safety_parameters import SafetyFilterParameters
    from vla_ros.sim import arm_description

    flat = parameters_of("safety_filter", robot=robot, config=config)
    parameters = from_mapping(SafetyFilterParameters, nested(flat), "safety_filter.")
    file = urdf or parameters.urdf
    if not file and robot != "sim":
        raise ParameterError("urdf: the configuration names no URDF file; give one with --urdf FILE")
    return parameters, _text(file) if file else arm_description.urdf()


def recorded(path: Path, urdf: str) -> tuple[SafetyFilterParameters, str]:
    """The parameters and the URDF that the filter's own log was written with; `urdf`: a file instead of the latter.

    Raises:
        ParameterError, Unreadable: the log was written by another version, or is damaged.
    """
    from vla_ros.oracle.recordings import log
    from vla_ros.parameters import from_mapping
    from vla_ros.safety.safety_parameters import SafetyFilterParameters

    about = log.header(path)
    parameters = from_mapping(SafetyFilterParameters, about["parameters"], f"{path}: ")
    return parameters, _text(urdf) if urdf else about["urdf"]


def _text(file: str) -> str:
    from vla_ros.parameters import ParameterError

    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"urdf: {file}: {error}") from None
