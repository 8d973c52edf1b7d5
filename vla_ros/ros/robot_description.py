"""The URDF of the arm, from a file or from the topic robot_description."""

from __future__ import annotations

import itertools
import time

from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.subscription import Subscription
from std_msgs.msg import String

from vla_ros.parameters import ParameterError
from vla_ros.robot.urdf import read_urdf, urdf_text
from vla_ros.ros.discovery import publisher_names
from vla_ros.ros.node import StartRefused
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import LATCHED

TOPIC = "robot_description"
POLL_S = 0.05
SETTLE_S = 0.5
POLLS_PER_WARNING = 100


def wait_for_urdf(node: Node, file: str) -> str:
    """Return the text of the URDF: from `file` when it is named, else from the latched topic robot_description.

    Waits for the topic, and says so every 5 s. The topic must have one publisher and say one thing: of two descriptions
    nobody can tell which is the robot's. Once the first has come, others have SETTLE_S to be noticed.

    Raises:
        StartRefused: the file cannot be read, or the topic has several publishers or descriptions.
        ExternalShutdownException: shut down while waiting.
    """
    try:
        if file:
            return read_urdf(file)
        subscription = polled(node, String, TOPIC, LATCHED)
        try:
            return urdf_text(_heard(node, subscription))
        finally:
            node.destroy_subscription(subscription)
    except ParameterError as error:
        raise StartRefused(str(error)) from None


def _heard(node: Node, subscription: Subscription) -> str:
    texts: set[str] = set()
    polls_left = round(SETTLE_S / POLL_S)
    for attempt in itertools.count(1):
        texts.update(str(message.data) for message, _ in take(subscription))
        if not node.context.ok():
            raise ExternalShutdownException
        polls_left -= bool(texts)
        names = publisher_names(node, TOPIC)
        if texts and (len(names) > 1 or len(texts) > 1):
            raise StartRefused(
                f"{subscription.topic_name}: {len(names)} publishers ({', '.join(names)}), {len(texts)} descriptions heard; "
                "stop all but the robot's, or name its file in the parameter urdf"
            )
        if polls_left <= 0:
            return texts.pop()
        if not texts and attempt % POLLS_PER_WARNING == 0:
            node.get_logger().warning(f"waiting for a URDF on {subscription.topic_name}")
        time.sleep(POLL_S)
    raise AssertionError("unreachable")
