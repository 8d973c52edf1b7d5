"""The doctor warns of joint_state_publisher, in any namespace, and of nobody else."""

from __future__ import annotations

import time

import pytest

rclpy = pytest.importorskip("rclpy")

from rclpy.context import Context  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402

from vla_ros.ros.joint_state_sources import joint_state_findings  # noqa: E402

PATIENCE_S = 60.0


def test_joint_state_publisher_is_warned_of() -> None:
    context = Context()
    rclpy.init(context=context)
    nodes = [
        rclpy.create_node("joint_state_publisher", context=context, namespace="left"),
        rclpy.create_node("driver", context=context),
    ]
    publishers = [node.create_publisher(JointState, "joint_states", 1) for node in nodes]
    end_s, found = time.monotonic() + PATIENCE_S, []
    while not found and time.monotonic() < end_s:
        found = list(joint_state_findings())
    (finding,) = found
    assert (finding.level, finding.what) == ("warn", "/left/joint_states")
    assert finding.text.startswith("/left/joint_state_publisher (") and "merges" in finding.remedy
    assert all(publishers)
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown(context=context)
