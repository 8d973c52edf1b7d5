"""Judges any stream of joint positions by what it is, whoever made it, with code of its own.

oracle = Oracle(urdf, parameters)
report = oracle.check(positions)          # (N, joints), one row per tick
assert not report.broken, report.text()

reports = judge_recording(path, parameters, urdf)   # CSV, bag, audit log
"""

from vla_ros.oracle.clearances import RuleClearance, ball, box
from vla_ros.oracle.differences import QUANTITIES
from vla_ros.oracle.judge_recording import configuration_of_log, judge_log, judge_recording
from vla_ros.oracle.oracle import JointBounds, Oracle
from vla_ros.oracle.recordings.log import is_log
from vla_ros.oracle.recordings.selection import SIGNALS, NothingSent, RecordingSelection, UnreadableRecording
from vla_ros.oracle.report import LimitFinding, OracleReport
from vla_ros.oracle.robot import JudgedBody, JudgedRobot, capsule
from vla_ros.oracle.stream import Stream, StreamFault

__all__ = [
    "QUANTITIES",
    "SIGNALS",
    "JointBounds",
    "JudgedBody",
    "JudgedRobot",
    "LimitFinding",
    "NothingSent",
    "Oracle",
    "OracleReport",
    "RecordingSelection",
    "RuleClearance",
    "Stream",
    "StreamFault",
    "UnreadableRecording",
    "ball",
    "box",
    "capsule",
    "configuration_of_log",
    "is_log",
    "judge_log",
    "judge_recording",
]
