"""camera: every camera's newest image, decoded, checked and resized once for all nodes."""

from __future__ import annotations

import functools
import sys
import time
from array import array
from collections.abc import Callable

import numpy as np
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from vla_ros.arrays import Depth
from vla_ros.bringup.node_parameters import CameraParameters
from vla_ros.msg import CameraFrames
from vla_ros.perception.camera_check import CameraCheck
from vla_ros.perception.conversion_check import check_conversions
from vla_ros.perception.encodings import decode_depth
from vla_ros.perception.frames import CameraHealth
from vla_ros.perception.stream_timing import StreamTiming
from vla_ros.perception.wrong_encoding import WrongEncoding
from vla_ros.ros.diagnostics import ERROR, OK, WARN, Diagnostics
from vla_ros.ros.discovery import unmatched_publishers, unpublished
from vla_ros.ros.lifecycle import ManagedNode, autostart
from vla_ros.ros.node import StartRefused, run, steady_timer
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import IMAGE, NEWEST
from vla_ros.ros.stamps import nanoseconds, time_message
from vla_ros.scheduling import raise_priority
from vla_ros.time import NS_PER_S, Rate, Window

LATE_SHARE = 0.3
"""Share of late sets in a second from which on the node warns."""
EARLY_SHARE = 0.7
"""Share of the period after which the next set may begin: the first camera's images are not exactly periodic."""


class CameraNode(ManagedNode):
    """Publishes one set of frames when the first camera has a new image and the others have images of the same time.

    The first camera sets the pace, while it is heard; for the others' images a set waits at most `skew_s`, and not for those
    of a camera that is so slow that they are due later.
    """

    def __init__(self) -> None:
        super().__init__("camera")
        self.parameters = p = declare_parameters(self, CameraParameters)
        try:
            self.converted_by = check_conversions()
        except WrongEncoding as error:
            raise StartRefused(str(error)) from None
        self.get_logger().info(f"images are converted by {self.converted_by}")
        self.skew_ns = round(p.skew_s * NS_PER_S)
        traits = {name: p.traits(name, self.resolve_topic_name(p.image_topic(name))) for name in p.cameras}
        self.checks = {
            name: CameraCheck(
                p.height, p.width, round(p.stale_s * NS_PER_S), p.frozen_images, p.dark_level, traits[name]
            )
            for name in p.cameras
        }
        self.info_subscriptions: dict[str, Subscription] = {}
        self.infos: dict[str, CameraInfo] = {}
        self.depths: dict[str, Depth] = {}
        self.depth_paces = {name: StreamTiming() for name in p.depth_cameras}
        self.frame_ids = dict.fromkeys(p.cameras, "")
        self.topics: dict[str, str] = {}
        for name in p.cameras:
            images = p.image_topic(name)
            self.subscribe(images, p.image_transport(name), functools.partial(self.on_image, name))
            # Polled when an image comes: a callback would cost more than reading it.
            self.info_subscriptions[name] = polled(
                self, CameraInfo, images[: images.rfind("/") + 1] + "camera_info", IMAGE
            )
        for name in p.depth_cameras:
            topic = f"{name}_camera/depth/image_raw"
            self.subscribe(topic, p.depth_transport(name), functools.partial(self.on_depth, name))
        self.publisher = self.create_publisher(CameraFrames, "vla/frames", NEWEST)
        # Also without images, so that others learn that a camera is gone.
        steady_timer(self, 2 * p.stale_s, self.publish_if_silent)
        self.set_pending = False
        self.wait_timer = steady_timer(self, p.skew_s, self.on_wait_timeout)
        self.wait_timer.cancel()
        self.published_ns = self.set_begun_ns = self.reference_ns = 0
        self.rate = Rate(1.0 / p.rate_hz, 0.5 / p.rate_hz, 200)
        self.age_s, self.processing_s = Window(200), Window(200)
        self.depth_problem = ""
        self.diagnostics = Diagnostics(self, self.report)

    def subscribe(self, topic: str, transport: str, callback: Callable[[Image | CompressedImage], None]) -> None:
        """Subscribe to images as image_transport names their topics: those that are not raw lie below the raw one."""
        kind = Image if transport == "raw" else CompressedImage
        if transport != "raw":
            topic = f"{topic}/{transport}"
        self.topics[topic] = f"sensor_msgs/msg/{kind.__name__}"
        self.create_subscription(kind, topic, callback, IMAGE)

    def pacing_camera(self) -> str:
        """Return the camera whose images begin the sets: the first one, or while that is silent the next that is not."""
        now_ns = self.get_clock().now().nanoseconds
        heard = (name for name, check in self.checks.items() if not check.silent(now_ns))
        return next(heard, self.parameters.cameras[0])

    def on_image(self, name: str, message: Image | CompressedImage) -> None:
        """Take in an image of a camera; one of the camera that sets the pace begins a set."""
        began = time.perf_counter()
        self.frame_ids[name] = message.header.frame_id
        for info, _ in take(self.info_subscriptions[name]):
            self.infos[name] = info
        self.checks[name].receive(message, nanoseconds(message.header.stamp), self.infos.get(name))
        now_ns = time.monotonic_ns()
        elapsed = now_ns - self.set_begun_ns >= EARLY_SHARE * NS_PER_S / self.parameters.rate_hz
        if self.active and elapsed and not self.set_pending and name == self.pacing_camera():
            self.set_pending, self.set_begun_ns = True, now_ns
            self.reference_ns = self.checks[name].latest.stamp_ns
            self.wait_timer.reset()
        self.publish_if_complete()
        self.processing_s.add(time.perf_counter() - began)

    def publish_if_complete(self) -> None:
        """Publish the set that was begun, unless images of the same time are still to come."""
        if not (self.set_pending and self.active):
            return
        now_ns = self.get_clock().now().nanoseconds
        awaited = any(check.expects_nearer(self.reference_ns, now_ns, self.skew_ns) for check in self.checks.values())
        for name, pace in self.depth_paces.items():
            shot = self.checks[name].latest
            fresh = now_ns - pace.stamp_ns <= self.parameters.stale_s * NS_PER_S
            awaited |= fresh and pace.expects_nearer(shot.stamp_ns, self.skew_ns)
        if not awaited:
            self.publish()

    def on_depth(self, name: str, message: Image | CompressedImage) -> None:
        """Take in a depth image of a camera."""
        try:
            self.depths[name] = self.checks[name].undistorted_depth(decode_depth(message))
            self.depth_paces[name].add(nanoseconds(message.header.stamp))
            self.depth_problem = ""
        except WrongEncoding as error:
            self.depths.pop(name, None)
            self.depth_problem = f"depth of {name}: {error}"
        self.publish_if_complete()

    def publish_if_silent(self) -> None:
        """Publish a set when none has been for long, with what is wrong with its cameras."""
        if self.active and time.monotonic_ns() - self.published_ns > 2e9 * self.parameters.stale_s:
            self.publish()

    def on_wait_timeout(self) -> None:
        """Publish the set without the images that have not come in time."""
        self.set_pending = False
        self.wait_timer.cancel()
        if self.active:
            self.publish()

    def publish(self) -> None:
        """Publish one set of frames."""
        self.set_pending = False
        self.wait_timer.cancel()
        now_ns = self.get_clock().now().nanoseconds
        shots = [check.newest(now_ns) for check in self.checks.values()]
        message = CameraFrames(
            names=self.parameters.cameras,
            frame_ids=list(self.frame_ids.values()),
            stamps=[time_message(shot.stamp_ns) for shot in shots],
            height=self.parameters.height,
            width=self.parameters.width,
            health=[int(shot.health) for shot in shots],
        )
        message.data = np.stack([shot.image for shot in shots]).tobytes()
        message.k = np.stack([np.zeros((3, 3)) if shot.k is None else shot.k for shot in shots]).ravel().tolist()
        depths = {}
        for name, shot in zip(self.checks, shots, strict=True):
            # Depth of another time than the image's would place its pixels wrongly.
            if (
                name in self.depths
                and abs(self.depth_paces[name].stamp_ns - shot.stamp_ns) <= self.parameters.skew_s * NS_PER_S
            ):
                depths[name] = self.depths[name]
        message.depth_names = list(depths)
        if depths:
            import cv2

            size = (self.parameters.width, self.parameters.height)
            # Nearest: interpolation over an edge would make surfaces that do not exist.
            maps = [cv2.resize(image, size, interpolation=cv2.INTER_NEAREST) for image in depths.values()]
            message.depth = array("f", np.stack(maps).tobytes())
        # An unusable image does not make the set older.
        stamps_ns = [shot.stamp_ns for shot in shots if shot.health is CameraHealth.OK] or [
            shot.stamp_ns for shot in shots if shot.stamp_ns
        ]
        message.header.stamp = time_message(min(stamps_ns, default=0))
        self.publisher.publish(message)
        self.published_ns = time.monotonic_ns()
        self.rate.tick(self.published_ns)
        if stamps_ns:
            self.age_s.add((now_ns - min(stamps_ns)) / NS_PER_S)

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """Return level, message and values for /diagnostics."""
        late = self.rate.newly_missed()
        now_ns = self.get_clock().now().nanoseconds
        shots = {name: check.newest(now_ns) for name, check in self.checks.items()}
        values: dict[str, object] = {
            **self.rate.values(),
            "image_age_p50_ms": 1e3 * self.age_s.summary().p50,
            "image_age_p95_ms": 1e3 * self.age_s.summary().p95,
            "work_p99_ms": 1e3 * self.processing_s.summary().p99,
            "converted_by": self.converted_by,
            **{f"{name}_images": check.images for name, check in self.checks.items()},
            **{f"{name}_health": shot.health.name for name, shot in shots.items()},
        }
        wrong = unmatched_publishers(self, self.topics)
        if any(shot.health is CameraHealth.MISSING for shot in shots.values()):
            wrong += filter(None, (unpublished(self, *topic) for topic in self.topics.items()))
        bad = [
            f"{name}: {shot.health.words}: {shot.problem}"
            for name, shot in shots.items()
            if shot.health is not CameraHealth.OK
        ]
        if wrong or bad or self.depth_problem:
            return ERROR, "; ".join([*wrong, *bad, *filter(None, [self.depth_problem])]), values
        if not self.active:
            return WARN, "not active", values
        uncalibrated = [f"{name}: {shot.geometry_problem}" for name, shot in shots.items() if shot.geometry_problem]
        if uncalibrated:
            return WARN, "; ".join(uncalibrated), values
        if late > LATE_SHARE * self.parameters.rate_hz:
            return WARN, f"{late} late sets of frames in the last second", values
        return OK, "running", values


def main() -> None:
    raise_priority()
    sys.exit(run("camera", lambda: autostart(CameraNode())))


if __name__ == "__main__":
    main()
