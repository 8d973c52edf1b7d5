"""The doctor hears the cameras of the graph, in any namespace, and judges them as the camera node does."""

from __future__ import annotations

import threading
import time

import pytest

rclpy = pytest.importorskip("rclpy")

from rclpy.context import Context  # noqa: E402
from rclpy.qos import qos_profile_sensor_data  # noqa: E402
from sensor_msgs.msg import CameraInfo  # noqa: E402

from vla_ros.ros.camera_infos import camera_info_findings  # noqa: E402

PATIENCE_S = 60.0


def camera_info(focal_length: float) -> CameraInfo:
    info = CameraInfo(width=64, height=48)
    info.k = [focal_length, 0.0, 32.0, 0.0, focal_length, 24.0, 0.0, 0.0, 1.0]
    return info


def test_a_camera_without_a_focal_length_is_told_and_a_calibrated_one_is_not() -> None:
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node("driver", context=context, namespace="left")
    infos = {"front/camera_info": camera_info(50.0), "wrist/camera_info": camera_info(-50.0)}
    publishers = {topic: node.create_publisher(CameraInfo, topic, qos_profile_sensor_data) for topic in infos}
    ended = threading.Event()

    def publish() -> None:
        while not ended.wait(0.05):
            for topic, publisher in publishers.items():
                publisher.publish(infos[topic])

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        end_s, found = time.monotonic() + PATIENCE_S, []
        while not found and time.monotonic() < end_s:
            found = list(camera_info_findings())
    finally:
        ended.set()
        thread.join()
        node.destroy_node()
        rclpy.try_shutdown(context=context)
    (finding,) = found
    assert (finding.level, finding.what) == ("warn", "/left/wrist/camera_info")
    assert finding.text.startswith("CameraInfo: ") and "calibrate" in finding.remedy
