"""The URDF comes from the named file, else from the latched topic."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import rclpy
from rclpy.executors import ExternalShutdownException
from std_msgs.msg import String

from test.graph.ros_node import ros_node
from vla_ros.ros.node import StartRefused
from vla_ros.ros.qos import LATCHED
from vla_ros.ros.robot_description import wait_for_urdf


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "arm.urdf"
    file.write_text("<robot/>")
    with ros_node() as node:
        assert wait_for_urdf(node, str(file)) == "<robot/>"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xfa"])
def test_a_file_that_cannot_be_read_refuses_the_start(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "arm.urdf"
    if content is not None:
        file.write_bytes(content)
    with ros_node() as node, pytest.raises(StartRefused, match=f"urdf: {file}: "):
        wait_for_urdf(node, str(file))


def test_the_topic_is_waited_for() -> None:
    with ros_node() as node:
        publisher = node.create_publisher(String, "robot_description", LATCHED)
        publisher.publish(String(data="<robot/>"))
        assert wait_for_urdf(node, "") == "<robot/>"


def test_a_shutdown_ends_the_wait() -> None:
    with ros_node() as node:
        threading.Timer(0.3, rclpy.shutdown).start()
        with pytest.raises(ExternalShutdownException):
            wait_for_urdf(node, "")


@pytest.mark.parametrize("forged", ["<robot/>", "<robot name='forged'/>"])
def test_two_publishers_refuse_the_start_by_name(forged: str) -> None:
    with ros_node() as node:
        other = rclpy.create_node("stranger", context=node.context)
        publishers = [each.create_publisher(String, "robot_description", LATCHED) for each in (node, other)]
        for publisher, text in zip(publishers, ("<robot/>", forged), strict=True):
            publisher.publish(String(data=text))
        with pytest.raises(StartRefused, match=r"robot_description: \d publishers.*(/stranger|2 descriptions)"):
            wait_for_urdf(node, "")
        other.destroy_node()
