"""JointTrajectory from its bytes: as rclpy reads it, whatever the lengths of names and rows; and what is no such message."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Duration, Time
from rclpy.serialization import serialize_message
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_ros.ros.trajectory_reader import read_trajectory


def random_trajectory(draw: random.Random) -> JointTrajectory:
    joints, rows = draw.randint(0, 9), draw.randint(0, 12)
    some = [draw.random() < 0.7 for _ in range(3)]

    def row(on: bool) -> list[float]:
        return [draw.gauss(0.0, 1.0) for _ in range(joints)] if on else []

    message = JointTrajectory(joint_names=["j" * draw.randint(0, 9) for _ in range(joints)])
    message.header.stamp = Time(sec=draw.randint(-5, 2**31 - 1), nanosec=draw.randint(0, 999_999_999))
    message.header.frame_id = "f" * draw.randint(0, 9)
    message.points = [
        JointTrajectoryPoint(
            positions=row(True),
            velocities=row(some[0]),
            accelerations=row(some[1]),
            effort=row(some[2]),
            time_from_start=Duration(sec=draw.randint(-2, 9), nanosec=draw.randint(0, 999_999_999)),
        )
        for _ in range(rows)
    ]
    return message


@pytest.mark.parametrize("seed", range(60))
def test_it_reads_what_was_written(seed: int) -> None:
    message = random_trajectory(random.Random(seed))
    read = read_trajectory(serialize_message(message), 100)
    assert read.names == message.joint_names
    assert read.stamp_ns == message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
    times = [point.time_from_start for point in message.points]
    assert read.times_ns == [each.sec * 10**9 + each.nanosec for each in times]
    for point, positions, velocities in zip(message.points, read.positions, read.velocities, strict=True):
        assert positions.tolist() == point.positions.tolist()
        assert velocities.tolist() == point.velocities.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_a_message_that_is_cut_is_refused_or_was_whole(seed: int) -> None:
    """What rclpy writes has unused bytes at its end."""
    data = serialize_message(random_trajectory(random.Random(seed)))
    whole, refused = read_trajectory(data, 100), 0
    for length in range(len(data)):
        try:
            read = read_trajectory(data[:length], 100)
        except ValueError:
            refused += 1
            continue
        assert read.times_ns == whole.times_ns
        assert [row.tolist() for row in read.velocities] == [row.tolist() for row in whole.velocities]
    assert refused > len(data) // 2


def test_numbers_that_no_message_has_are_refused() -> None:
    data = serialize_message(JointTrajectory(joint_names=["a"]))
    with pytest.raises(ValueError, match="little-endian"):
        read_trajectory(b"\x00\x00" + data[2:], 100)
    many = bytearray(data)
    many[4 + 16 : 4 + 20] = struct.pack("<I", 2**31)
    with pytest.raises(ValueError, match="joints"):
        read_trajectory(bytes(many), 100)
    long = JointTrajectory(joint_names=["a"], points=[JointTrajectoryPoint(positions=[1.0])] * 5)
    with pytest.raises(ValueError, match="5 points"):
        read_trajectory(serialize_message(long), 4)
    assert np.array(read_trajectory(serialize_message(long), 5).positions).shape == (5, 1)
