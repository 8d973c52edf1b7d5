"""What the cameras on the graph say of themselves, for `vla-ros doctor`: judged as the node `camera` judges it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo

from vla_ros.perception.camera_geometry import WrongCameraInfo, camera_geometry
from vla_ros.ros.installation import InstallationFinding

TYPE = "sensor_msgs/msg/CameraInfo"
REMEDY = "calibrate the camera, and see what its driver sends"
HEARD_S = 2.0
"""Cameras of 1 Hz are heard, too."""


def camera_info_findings(heard_s: float = HEARD_S) -> Iterator[InstallationFinding]:
    """Yield one finding for each topic of CameraInfo, in any namespace, from which no matrix of the images follows.

    Args:
        heard_s: how long messages are waited for.
    """
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node("doctor", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    heard: dict[str, CameraInfo] = {}
    subscribed = set()

    def subscribe(topic: str) -> None:
        def on_info(message: CameraInfo) -> None:
            heard[topic] = message

        subscribed.add(topic)
        node.create_subscription(CameraInfo, topic, on_info, qos_profile_sensor_data)

    try:
        end_s = time.monotonic() + heard_s
        while time.monotonic() < end_s:
            for topic, types in node.get_topic_names_and_types():
                if TYPE in types and topic not in subscribed:
                    subscribe(topic)
            executor.spin_once(timeout_sec=0.1)
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown(context=context)
    for topic, info in sorted(heard.items()):
        try:
            camera_geometry(info, (info.width, info.height), rectified=False)
        except WrongCameraInfo as error:
            yield InstallationFinding("warn", topic, f"CameraInfo: {error}", REMEDY)
