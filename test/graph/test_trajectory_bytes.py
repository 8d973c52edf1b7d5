"""The bytes of a trajectory are those of rclpy, but for gaps, which rclpy leaves as they are, and unused bytes at the end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from builtin_interfaces.msg import Duration, Time
from rclpy.serialization import deserialize_message, serialize_message
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_ros.ros.trajectory_bytes import TrajectoryBytes
from vla_ros.safety.trajectory import Trajectory

STAMP_NS = 1_700_000_000_123_456_789


def trajectory(points: int, joints: int, accelerations: bool = False) -> Trajectory:
    rng = np.random.default_rng(points + joints)
    p, v, a = rng.normal(size=(3, points, joints))
    return Trajectory(STAMP_NS, np.cumsum(rng.integers(1, 10**9, points)), p, v, a if accelerations else None)


def message_of(each: Trajectory, names: Sequence[str], columns: Sequence[int]) -> JointTrajectory:
    points = [
        JointTrajectoryPoint(
            positions=each.positions[i, columns].tolist(),
            velocities=each.velocities[i, columns].tolist(),
            accelerations=[] if each.accelerations is None else each.accelerations[i, columns].tolist(),
            time_from_start=Duration(sec=int(time_ns) // 10**9, nanosec=int(time_ns) % 10**9),
        )
        for i, time_ns in enumerate(each.times_ns)
    ]
    message = JointTrajectory(joint_names=list(names), points=points)
    message.header.stamp = Time(sec=STAMP_NS // 10**9, nanosec=STAMP_NS % 10**9)
    return message


def gaps(message: JointTrajectory) -> set[int]:
    """Where the encoding leaves gaps before strings, lengths and doubles, counted from the head's first byte."""
    found: set[int] = set()
    at = 8 + 5  # stamp, empty frame_id

    def align(size: int) -> None:
        nonlocal at
        end = -(-at // size) * size
        found.update(range(4 + at, 4 + end))
        at = end

    align(4)
    at += 4
    for name in message.joint_names:
        align(4)
        at += 4 + len(name) + 1
    align(4)
    at += 4
    for point in message.points:
        for values in (point.positions, point.velocities, point.accelerations, point.effort):
            at += 4
            if len(values):
                align(8)
            at += 8 * len(values)
        at += 8
    return found | {-at}


@pytest.mark.parametrize(
    "names", [["a"], ["joint1", "joint2"], ["xxxxx", "yy", "zzzzzzzzz"], [f"joint{i}" for i in range(1, 9)]]
)
@pytest.mark.parametrize(("points", "accelerations"), [(1, True), (1, False), (2, False), (41, False)])
def test_the_bytes_are_those_of_rclpy(names: list[str], points: int, accelerations: bool) -> None:
    each = trajectory(points, len(names), accelerations)
    message = message_of(each, names, range(len(names)))
    own, others = TrajectoryBytes(names, range(len(names)))(each), bytes(serialize_message(message))
    left_out = gaps(message)
    (length,) = (-at for at in left_out if at < 0)
    assert len(own) == 4 + length <= len(others)
    assert [i for i in range(len(own)) if own[i] != others[i] and i not in left_out] == []
    assert deserialize_message(own, JointTrajectory) == message


def test_a_controller_gets_its_own_joints_alone() -> None:
    each = trajectory(5, 8)
    own = TrajectoryBytes(["c", "a"], [2, 0])(each)
    assert deserialize_message(own, JointTrajectory) == message_of(each, ["c", "a"], [2, 0])
