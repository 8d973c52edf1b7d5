"""The URDF of the arm, from a file or from the topic robot_description."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from std_msgs.msg import String

from vla_ros.ros.node import StartRefused
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import LATCHED

POLL_S = 0.05
POLLS_PER_WARNING = 100


def wait_for_urdf(node: Node, file: str) -> str:
    """Return the text of the URDF: from `file` when it is named, else from the latched topic robot_description.

    Waits for the topic, and says so every 5 s.

    Raises:
        StartRefused: the file cannot be read. ExternalShutdownException: shut down while waiting.
    """
    if file:
        try:
            return Path(file).read_text()
        except (OSError, ValueError) as error:
            raise StartRefused(f"urdf: {file}: {error}") from None
    subscription = polled(node, String, "robot_description", LATCHED)
    try:
        for attempt in itertools.count(1):
            for message, _ in take(subscription):
                return str(message.data)
            if not node.context.ok():
                raise ExternalShutdownException
            if attempt % POLLS_PER_WARNING == 0:
                node.get_logger().warning(f"waiting for a URDF on {subscription.topic_name}")
            time.sleep(POLL_S)
    finally:
        node.destroy_subscription(subscription)
    raise AssertionError("unreachable")
