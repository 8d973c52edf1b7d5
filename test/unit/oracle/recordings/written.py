"""Recordings of every kind, written for tests, and the command that judges them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from vla_ros.arrays import Array
from vla_ros.cli import check_recording
from vla_ros.oracle.recordings.selection import RecordingSelection
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

STORE = get_typestore(Stores.ROS2_JAZZY)
T = STORE.types
ALL = RecordingSelection(JOINT_NAMES, JOINT_NAMES[:7])


def smooth(count: int = 200) -> Array:
    """A gentle wave of joint 1 around home, (count, 8)."""
    q = np.tile(HOME, (count, 1))
    q[:, 0] += 0.1 * (1 - np.cos(3.0 * 0.004 * np.arange(count))) ** 2
    return q


def csv(path: Path, q: Array, period_s: float = 0.004, header: str = "") -> Path:
    """A table of positions, one row a period."""
    lines = [header or "time," + ",".join(JOINT_NAMES)]
    lines += [",".join([f"{1e9 + i * period_s:.6f}", *map(repr, map(float, row))]) for i, row in enumerate(q)]
    path.write_text("\n".join(lines) + "\n")
    return path


def bag(path: Path, plugin: StoragePlugin, topics: dict[str, list[Any]]) -> Path:
    """A rosbag2 whose messages were received 4 ms apart."""
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        for topic, messages in topics.items():
            connection = writer.add_connection(topic, messages[0].__msgtype__, typestore=STORE)
            for i, message in enumerate(messages):
                writer.write(connection, 10**18 + i * 4_000_000, STORE.serialize_cdr(message, message.__msgtype__))
    return path


def array(positions: Array) -> Any:
    layout = T["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
    return T["std_msgs/msg/Float64MultiArray"](layout=layout, data=np.array(positions))


def joint_state(ns: int, names: list[str], positions: Array) -> Any:
    header = T["std_msgs/msg/Header"](stamp=_stamp(ns), frame_id="")
    none = np.array([])
    return T["sensor_msgs/msg/JointState"](header, names, np.array(positions), none, none)


def trajectory(ns: int, names: list[str], points: list[tuple[int, Array]], speed: float | None = None) -> Any:
    """points: (ns from start, positions) each. speed: of every joint at each of them; None: not said."""
    header, none = T["std_msgs/msg/Header"](stamp=_stamp(ns), frame_id=""), np.array([])
    kind, duration = T["trajectory_msgs/msg/JointTrajectoryPoint"], T["builtin_interfaces/msg/Duration"]
    v = none if speed is None else np.full(len(names), speed)
    rows = [kind(np.array(q), v, none, none, duration(sec=0, nanosec=after)) for after, q in points]
    return T["trajectory_msgs/msg/JointTrajectory"](header, names, rows)


def _stamp(ns: int) -> Any:
    return T["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `vla-ros check-recording`."""
    parser = argparse.ArgumentParser()
    check_recording.arguments(parser)
    code = check_recording.run(parser.parse_args(arguments))
    out, err = capsys.readouterr()
    return code, out, err
