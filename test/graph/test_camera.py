"""The camera node over real DDS: what is wrong with a camera is said by name."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from vla_ros.bringup.process import private_domain
from vla_ros.msg import CameraFrames
from vla_ros.ros.client import Client, connect
from vla_ros.ros.qos import NEWEST


@pytest.fixture
def talk(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Args: request.param: the names of the cameras, "front" alone unless told otherwise, and other parameters."""
    os.environ.update(private_domain())
    command = [sys.executable, "-m", "vla_ros.nodes.camera", "--ros-args", "-r", "__ns:=/left"]
    cameras, *others = getattr(request, "param", ["front"])
    command += ["-p", f"cameras:=[{cameras}]", *(word for other in others for word in ("-p", other))]
    command += ["-p", "width:=16", "-p", "height:=16", "-p", "frozen_images:=5"]
    command += ["-p", "noisy_cameras:=[front]"]
    node = subprocess.Popen(command)
    try:
        with connect("left") as made:
            yield made
    finally:
        node.terminate()
        assert node.wait(60) == 0


def image(seed: int, encoding: str = "rgb8") -> Image:
    pixels = np.random.default_rng(seed).integers(50, 200, (16, 16, 3), dtype=np.uint8)
    return Image(height=16, width=16, step=48, encoding=encoding, data=pixels.tobytes())


def compressed(seed: int) -> CompressedImage:
    pixels = np.frombuffer(image(seed).data, np.uint8).reshape(16, 16, 3)
    return CompressedImage(format="", data=cv2.imencode(".png", pixels)[1].tobytes())


def feed(talk: Client, make: Callable[[int], Any], until: Callable[[], bool], kind: type = Image) -> bool:
    """Publish 20 messages a second, reliably, until the condition holds."""
    publisher = talk.node.create_publisher(kind, "front_camera/image_raw", QoSProfile(depth=1))
    try:
        for count in range(2000):
            message = make(count)
            if kind is Image:
                message.header.stamp = talk.node.get_clock().now().to_msg()
            publisher.publish(message)
            if talk.spin(0.05, until):
                return True
        return False
    finally:
        talk.node.destroy_publisher(publisher)


def test_good_images_come_through_and_bad_ones_are_named(talk: Client) -> None:
    frames: list[CameraFrames] = []
    talk.node.create_subscription(CameraFrames, "vla/frames", frames.append, NEWEST)

    def health() -> int:
        return frames[-1].health[0] if frames else -1

    def said(text: str) -> bool:
        return text in talk.diagnostics.get("camera", {}).get("message", "")

    assert feed(talk, image, lambda: health() == CameraFrames.OK)
    assert len(frames[-1].data) == 16 * 16 * 3
    assert feed(talk, lambda _: image(1), lambda: health() == CameraFrames.FROZEN and said("front: frozen"))
    assert feed(talk, lambda n: image(n, "8UC7"), lambda: health() == CameraFrames.WRONG_ENCODING and said("8UC7"))
    assert talk.spin(60.0, lambda: health() == CameraFrames.STALE)
    wrong = "publishes std_msgs/msg/String, expected sensor_msgs/msg/Image"
    assert feed(talk, lambda _: String(data="no image"), lambda: said(wrong), String)


@pytest.mark.parametrize("talk", [["front, wrist", "transports:=[raw, compressed]"]], indirect=True)
def test_images_of_one_moment_go_out_together_and_a_silent_camera_makes_nobody_old(talk: Client) -> None:
    frames: list[CameraFrames] = []
    talk.node.create_subscription(CameraFrames, "vla/frames", frames.append, NEWEST)
    cameras = {
        "front": talk.node.create_publisher(Image, "front_camera/image_raw", QoSProfile(depth=1)),
        "wrist": talk.node.create_publisher(CompressedImage, "wrist_camera/image_raw/compressed", QoSProfile(depth=1)),
    }

    def shoot(count: int, *names: str) -> None:
        """Send images of one moment, one after the other."""
        stamp = talk.node.get_clock().now().to_msg()
        for name in names:
            message = image(count) if name == "front" else compressed(count)
            message.header.stamp = stamp
            cameras[name].publish(message)
            time.sleep(0.004)

    def both() -> int:
        return sum(not any(frame.health) for frame in frames)

    for count in range(2000):
        # Periods that differ by milliseconds; the first camera is not always the first to be heard.
        shoot(count, *(("front", "wrist") if count % 5 else ("wrist", "front")))
        time.sleep(0.004 * (count % 3))
        talk.spin(0.08)
        if both() >= 20:
            break
    whole = [frame for frame in frames if not any(frame.health)][2:]  # until intervals are known
    assert len(whole) >= 18
    apart = [frame for frame in whole if frame.stamps[0] != frame.stamps[1]]
    assert len(apart) <= 6  # on a machine that stood still an image may be too late to be waited for
    for count in range(2000):
        shoot(count, "front")
        talk.spin(0.09)
        if frames[-1].health[1] == CameraFrames.STALE:
            break
    assert list(frames[-1].health) == [CameraFrames.OK, CameraFrames.STALE]
    assert frames[-1].header.stamp == frames[-1].stamps[0]
    # The other way round: the camera that is heard sets the pace then.
    for count in range(2000):
        shoot(count, "wrist")
        talk.spin(0.09)
        if list(frames[-1].health) == [CameraFrames.STALE, CameraFrames.OK]:
            break
    heard = len(frames)
    for count in range(20):
        shoot(count, "wrist")
        talk.spin(0.09)
    assert len(frames) - heard >= 10
    assert frames[-1].header.stamp == frames[-1].stamps[1]


@pytest.mark.parametrize("talk", [["front, wrist", "skew_s:=0.08"]], indirect=True)
def test_a_set_that_waited_does_not_make_the_next_one_wait_too(talk: Client) -> None:
    frames: list[CameraFrames] = []
    talk.node.create_subscription(CameraFrames, "vla/frames", frames.append, NEWEST)
    cameras = [
        talk.node.create_publisher(Image, f"{name}_camera/image_raw", QoSProfile(depth=1))
        for name in ("front", "wrist")
    ]
    assert talk.spin(60.0, lambda: all(camera.get_subscription_count() for camera in cameras))
    for count in range(40):
        message = image(count)
        message.header.stamp = talk.node.get_clock().now().to_msg()
        for camera, pause_s in zip(cameras, (0.05, 0.01), strict=True):  # the second comes late, but stamped alike
            camera.publish(message)
            time.sleep(pause_s)
        talk.spin(0.04)
    assert sum(not any(frame.health) for frame in frames) > 25, "every other set is left out"


@pytest.mark.parametrize("talk", [["front", "depth_cameras:=[front]"]], indirect=True)
def test_depth_that_comes_after_its_image_goes_with_it(talk: Client) -> None:
    frames: list[CameraFrames] = []
    talk.node.create_subscription(CameraFrames, "vla/frames", frames.append, NEWEST)
    colours = talk.node.create_publisher(Image, "front_camera/image_raw", QoSProfile(depth=1))
    depths = talk.node.create_publisher(Image, "front_camera/depth/image_raw", QoSProfile(depth=1))
    assert talk.spin(60.0, lambda: bool(colours.get_subscription_count() and depths.get_subscription_count()))
    for count in range(40):
        message = image(count)
        message.header.stamp = talk.node.get_clock().now().to_msg()
        colours.publish(message)
        time.sleep(0.01)
        metres = Image(height=16, width=16, step=64, encoding="32FC1", header=message.header)
        metres.data = np.full((16, 16), 1.0 + count, np.float32).tobytes()
        depths.publish(metres)
        talk.spin(0.09)
    deep = [frame for frame in frames if list(frame.depth_names) == ["front"]]
    assert len(deep) > 25
    # Each set has another depth, so none is that of the image before.
    assert len({frame.depth[0] for frame in deep}) == len(deep)
