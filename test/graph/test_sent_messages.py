"""What is published to controllers, read again: topics of a configuration, joints in any order, times and bad forms."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Duration, Time
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from test.unit.safety.simulated_arm import parameters
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


def test_the_configured_topics_are_read() -> None:
    (arm,) = sent_topics(parameters())
    assert (arm.topic, arm.kind, list(arm.joints)) == ("arm_controller/commands", Float64MultiArray, list(JOINT_NAMES))
    both = {"controller.type": "joint_trajectory", "controller.gripper_joint": "finger_joint"}
    arm, gripper = sent_topics(parameters(**both, **{"controller.gripper_topic": "gripper/commands"}))
    assert arm.kind is JointTrajectory
    assert arm.joints == tuple(JOINT_NAMES[:7])
    assert (gripper.topic, gripper.joints) == ("gripper/commands", ("finger_joint",))


def test_a_trajectory_is_brought_into_the_order_of_the_joints() -> None:
    read = sent_message(trajectory(0.2, 0.1), 3, 5, JOINTS)
    assert read.positions.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert read.velocities is not None
    assert read.velocities.tolist() == [[0.3, 0.4], [0.1, 0.2]]
    assert list(read.times_ns) == [0, 20_000_000]
    assert (read.number, read.sent_ns, read.start_ns) == (3, 5, 7_000_000_000)
    assert sent_message(trajectory(), 3, 5, JOINTS).velocities is None


def test_positions_alone_are_a_setpoint() -> None:
    read = sent_message(Float64MultiArray(data=[1.0, 2.0]), 1, 2, JOINTS)
    assert not read.is_path
    assert read.positions.tolist() == [[1.0, 2.0]]


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
        sent_message(message, 1, 2, JOINTS)
