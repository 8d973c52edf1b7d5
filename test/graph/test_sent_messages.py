"""What is published to controllers, read again: topics of a configuration, joints in any order, times and bad forms."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Duration, Time
from rclpy.serialization import serialize_message
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from test.unit.safety.simulated_arm import parameters
from vla_ros.oracle.live import SentMessage
from vla_ros.ros.sent_messages import sent_message, sent_topics
from vla_ros.sim.arm_description import JOINT_NAMES

JOINTS = ("a", "b")


def trajectory(*velocities: float) -> JointTrajectory:
    point = JointTrajectoryPoint(
        positions=[2.0, 1.0], velocities=list(velocities), time_from_start=Duration(nanosec=20_000_000)
    )
    message = JointTrajectory(joint_names=["b", "a"], points=[JointTrajectoryPoint(positions=[4.0, 3.0]), point])
    if velocities:
        message.points[0].velocities = [0.4, 0.3]
    message.header.stamp = Time(sec=7)
    return message


def read(message: Any) -> SentMessage:
    return sent_message(serialize_message(message), type(message), 3, 5, JOINTS)


def test_the_configured_topics_are_read() -> None:
    (arm,) = sent_topics(parameters())
    assert (arm.topic, arm.kind, arm.joints) == ("arm_controller/joint_trajectory", JointTrajectory, tuple(JOINT_NAMES))
    both = {"controller.type": "joint_trajectory", "controller.gripper_joint": "finger_joint"}
    arm, gripper = sent_topics(parameters(**both, **{"controller.gripper_topic": "gripper/commands"}))
    assert arm.kind is JointTrajectory
    assert arm.joints == tuple(JOINT_NAMES[:7])
    assert (gripper.topic, gripper.joints) == ("gripper/commands", ("finger_joint",))


def test_a_trajectory_is_brought_into_the_order_of_the_joints() -> None:
    found = read(trajectory(0.2, 0.1))
    assert found.positions.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert found.velocities is not None
    assert found.velocities.tolist() == [[0.3, 0.4], [0.1, 0.2]]
    assert list(found.times_ns) == [0, 20_000_000]
    assert (found.number, found.sent_ns, found.start_ns) == (3, 5, 7_000_000_000)
    assert read(trajectory()).velocities is None


def test_positions_alone_are_a_setpoint() -> None:
    found = read(Float64MultiArray(data=[1.0, 2.0]))
    assert not found.is_path
    assert found.positions.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (Float64MultiArray(data=[1.0]), "1 values for 2 joints"),
        (JointTrajectory(joint_names=["a", "b"]), "no points"),
        (JointTrajectory(joint_names=["a", "c"], points=[JointTrajectoryPoint()]), "names the joints 'a, c'"),
        (JointTrajectory(joint_names=["a", "b"], points=[JointTrajectoryPoint()]), "0 values for 2 joints"),
    ],
)
def test_what_cannot_be_read_is_said(message: object, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        read(message)
