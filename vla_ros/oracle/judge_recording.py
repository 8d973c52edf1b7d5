"""Which limits does a recording break? One report per stream in it."""

from __future__ import annotations

from pathlib import Path

from vla_ros.oracle.oracle import Oracle
from vla_ros.oracle.recordings import log
from vla_ros.oracle.recordings.read import read_recording
from vla_ros.oracle.recordings.selection import RecordingSelection
from vla_ros.oracle.report import OracleReport
from vla_ros.parameters import from_mapping
from vla_ros.safety.controller_parameters import outputs_of
from vla_ros.safety.safety_parameters import SafetyFilterParameters


def judge_recording(
    path: Path,
    parameters: SafetyFilterParameters,
    urdf: str,
    *,
    topic: str = "",
    signal: str = "command",
    period_s: float = 0.0,
    from_rest: bool = False,
) -> list[OracleReport]:
    """Judge a recording of any kind by the limits of a configuration.

    Args:
        path: a CSV, a bag, or an audit log of the filter.
        parameters: of the filter, whose limits are meant.
        urdf: text of the URDF.
        topic: of a bag; empty: the only one that fits.
        signal: of the simulated controller's log, one of SIGNALS.
        period_s: samples lie so far apart, whatever their stamps say; 0: their stamps count.
        from_rest: the arm stood at the first sample before it.

    Raises:
        UnreadableRecording: with the file, the place and what to do.
        ParameterError: the URDF cannot be read, or does not fit the parameters.
    """
    gripper = parameters.controller.gripper_joint
    selection = RecordingSelection(
        joints=tuple(parameters.joint_names),
        unnamed=tuple(name for name in parameters.joint_names if name != gripper),
        topic=topic,
        likely=outputs_of(parameters.controller, parameters.joint_names)[0].name,
        signal=signal,
    )
    oracle = Oracle(urdf, parameters)
    return [oracle.judge(stream.with_period(period_s, from_rest)) for stream in read_recording(path, selection)]


def judge_log(path: Path) -> list[OracleReport]:
    """Judge what an audit log of the filter says was sent, by the limits in it; one report per run of the filter.

    Raises:
        ParameterError: the log was written by another version.
        UnreadableRecording: it is damaged, or (NothingSent) nothing was sent.
    """
    parameters, urdf = configuration_of_log(path)
    oracle = Oracle(urdf, parameters)
    return [oracle.judge(stream) for stream in log.read(path, RecordingSelection(tuple(parameters.joint_names)))]


def configuration_of_log(path: Path) -> tuple[SafetyFilterParameters, str]:
    """Return the parameters and the text of the URDF that an audit log was written with.

    Raises:
        ParameterError: the log was written by another version.
        UnreadableRecording: it is damaged.
    """
    about = log.header(path)
    return from_mapping(SafetyFilterParameters, about["parameters"], f"{path}: "), about["urdf"]
