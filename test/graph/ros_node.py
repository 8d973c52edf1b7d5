"""A node of this process on a domain of its own, for tests of vla_ros/ros."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import rclpy
from rclpy.node import Node

from vla_ros.bringup.process import private_domain


@contextmanager
def ros_node(name: str = "tested", arguments: Sequence[str] = ()) -> Iterator[Node]:
    """Yield a node; arguments: of ROS, behind --ros-args."""
    os.environ.update(private_domain())
    rclpy.init(args=["--ros-args", *arguments] if arguments else None)
    node = rclpy.create_node(name)
    try:
        yield node
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
