"""JointTrajectory from its bytes: as rclpy reads it, whatever the lengths of names and rows; and what is no such message."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Duration, Time
from control_msgs.msg import JointTrajectoryControllerState
from geometry_msgs.msg import Transform
from rclpy.serialization import serialize_message
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint, MultiDOFJointTrajectoryPoint

from vla_ros.ros.trajectory_reader import read_controller_state, read_trajectory


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


def random_state(draw: random.Random) -> JointTrajectoryControllerState:
    trajectory = random_trajectory(draw)
    points = [*trajectory.points, *(JointTrajectoryPoint() for _ in range(4))][:4]
    reference, feedback, error, output = points
    state = JointTrajectoryControllerState(header=trajectory.header, joint_names=trajectory.joint_names)
    state.reference, state.feedback, state.error, state.output = reference, feedback, error, output
    state.speed_scaling_factor = draw.random()
    return state


@pytest.mark.parametrize("seed", range(60))
def test_what_a_controller_tells_is_read_as_it_was_written(seed: int) -> None:
    state = random_state(random.Random(seed))
    read = read_controller_state(serialize_message(state))
    assert (read.names, read.speed_scaling) == (state.joint_names, state.speed_scaling_factor)
    assert read.reference.tolist() == state.reference.positions.tolist()
    assert read.error.tolist() == state.error.positions.tolist()


def test_other_states_are_refused_and_never_read_wrongly() -> None:
    state = random_state(random.Random(1))
    data = serialize_message(state)
    whole, refused = read_controller_state(data), 0
    for end in range(len(data)):
        try:
            cut = read_controller_state(data[:end])
        except ValueError:
            refused += 1
        else:
            assert (cut.names, cut.speed_scaling) == (whole.names, whole.speed_scaling), "only unused bytes are gone"
            assert (cut.reference == whole.reference).all() and (cut.error == whole.error).all()
    assert refused > len(data) - 64
    state.multi_dof_error = MultiDOFJointTrajectoryPoint(transforms=[Transform()])
    with pytest.raises(ValueError, match="several degrees of freedom"):
        read_controller_state(serialize_message(state))
    with pytest.raises(ValueError, match="not little-endian"):
        read_controller_state(b"\x00\x00" + data[2:])
