"""The paths are drawn in the base frame, through the tool's poses, and a topic that lacks a joint is named."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import Pose
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_ros.bringup.process import private_domain
from vla_ros.msg import ActionChunk, SafetyStatus
from vla_ros.nodes.motion_paths import MotionPathsNode, path_message
from vla_ros.resources import share
from vla_ros.robot.kinematics import Kinematics
from vla_ros.ros.diagnostics import OK, WARN
from vla_ros.sim.arm_description import HOME, JOINT_NAMES


@pytest.fixture
def node() -> Iterator[MotionPathsNode]:
    os.environ.update(private_domain())
    names = ", ".join(JOINT_NAMES)
    urdf = share() / "config" / "sim_arm.urdf"
    rclpy.init(args=["--ros-args", "-p", f"joint_names:=[{names}]", "-p", f"urdf:={urdf}"])
    made = MotionPathsNode()
    yield made
    made.destroy_node()
    rclpy.try_shutdown()


def test_a_path_has_the_header_at_each_pose() -> None:
    header = Header(frame_id="base")
    path = path_message(header, [Pose(), Pose()])
    assert [pose.header.frame_id for pose in path.poses] == ["base", "base"]
    assert path_message(header, []).poses == []


def test_the_tool_is_where_the_urdf_says_in_any_order_of_joints(node: MotionPathsNode) -> None:
    expected = Kinematics((share() / "config" / "sim_arm.urdf").read_text(), list(JOINT_NAMES), "tool").forward(HOME)
    node.on_status(SafetyStatus(joint_names=JOINT_NAMES[::-1], positions=HOME[::-1].tolist()))
    ((_, pose),) = node.sent_poses
    np.testing.assert_allclose((pose.position.x, pose.position.y, pose.position.z), expected[:3, 3], atol=1e-12)


def test_a_disarmed_filter_sends_nothing_to_draw(node: MotionPathsNode) -> None:
    node.on_status(SafetyStatus(joint_names=JOINT_NAMES))
    assert not node.sent_poses
    assert node.report()[0] == OK


def test_a_topic_that_lacks_a_joint_is_named_until_it_has_it(node: MotionPathsNode) -> None:
    points = [JointTrajectoryPoint(positions=HOME[1:].tolist())]
    node.on_chunk(ActionChunk(trajectory=JointTrajectory(joint_names=JOINT_NAMES[1:], points=points)))
    assert node.report()[:2] == (WARN, f"vla/action_chunk lacks {JOINT_NAMES[0]}")
    node.on_chunk(ActionChunk(trajectory=JointTrajectory(joint_names=JOINT_NAMES)))
    assert node.report()[:2] == (OK, "running")
