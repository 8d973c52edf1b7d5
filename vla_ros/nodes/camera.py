"""Every camera's newest image, decoded, checked and resized once for everyone."""

from __future__ import annotations

import functools
import sys
import time
from array import array

import numpy as np
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from vla_ros.arrays import Depth
from vla_ros.bringup.node_parameters import CameraParameters
from vla_ros.msg import CameraFrames
from vla_ros.perception.camera_check import CameraCheck
from vla_ros.perception.encodings import WrongEncoding, decode_depth
from vla_ros.perception.frames import CameraHealth
from vla_ros.perception.stream_timing import StreamTiming
from vla_ros.ros.node import (
    ERROR,
    IMAGE,
    NEWEST,
    OK,
    WARN,
    Diagnostics,
    Managed,
    autostart,
    declare,
    every,
    mismatches,
    nanoseconds,
    run,
    time_message,
)
from vla_ros.ros.polling import polled, take
from vla_ros.scheduling import urgent
from vla_ros.time import Rate, Window

LATE_SHARE = 0.3
"""So many late sets of a second's are worth a warning."""


class Camera(Managed):
    """Thin: images in, one set of frames out when the first camera has a new image and the others theirs of that moment."""

    def __init__(self) -> None:
        super().__init__("camera")
        self.parameters = p = declare(self, CameraParameters)
        compressed = p.transport == "compressed"
        kind, suffix = (CompressedImage, "/compressed") if compressed else (Image, "")
        self.checks = {
            name: CameraCheck(p.height, p.width, round(p.stale_s * 1e9), p.frozen_images, p.dark_level)
            for name in p.cameras
        }
        self.announced: dict[str, Subscription] = {}
        self.infos: dict[str, CameraInfo] = {}
        self.depths: dict[str, Depth] = {}
        self.depth_paces = {name: StreamTiming() for name in p.depth_cameras}
        self.frame_ids = dict.fromkeys(p.cameras, "")
        self.topics: dict[str, str] = {}
        for name, images in zip(p.cameras, p.topics or [f"{name}_camera/image_raw" for name in p.cameras], strict=True):
            topic = images + suffix
            self.topics[topic] = f"sensor_msgs/msg/{kind.__name__}"
            self.create_subscription(kind, topic, functools.partial(self.see, name), IMAGE)
            # Read when an image comes: waking up for it would cost more than all that is done with it.
            self.announced[name] = polled(self, CameraInfo, images[: images.rfind("/") + 1] + "camera_info", IMAGE)
        for name in p.depth_cameras:
            topic = f"{name}_camera/depth/image_raw"
            self.topics[topic] = "sensor_msgs/msg/Image"
            self.create_subscription(Image, topic, functools.partial(self.see_depth, name), IMAGE)
        self.publisher = self.create_publisher(CameraFrames, "vla/frames", NEWEST)
        # Also without images: that a camera is gone must be said.
        every(self, 2 * p.stale_s, self.watch)
        self.due = False
        self.patience = every(self, p.skew_s, self.overdue)
        self.patience.cancel()
        self.published_ns = self.due_ns = 0
        self.rate = Rate(1.0 / p.rate_hz, 0.5 / p.rate_hz, 200)
        self.age, self.work = Window(200), Window(200)
        self.depth_problem = ""
        self.diagnostics = Diagnostics(self, self.report)

    def see(self, name: str, message: Image | CompressedImage) -> None:
        """An image of camera `name`."""
        began = time.perf_counter()
        self.frame_ids[name] = message.header.frame_id
        for info, _ in take(self.announced[name]):
            self.infos[name] = info
        self.checks[name].receive(message, nanoseconds(message.header.stamp), self.infos.get(name))
        # The first camera's rate is the pace.
        now_ns = time.monotonic_ns()
        enough = now_ns - self.due_ns >= 0.7e9 / self.parameters.rate_hz
        if self.active and enough and not self.due and name == self.parameters.cameras[0]:
            self.due, self.due_ns = True, now_ns
            self.patience.reset()
        self.complete()
        self.work.add(time.perf_counter() - began)

    def complete(self) -> None:
        """Publish the set that is due, unless more of the moment of the first camera's image is to come."""
        if not (self.due and self.active):
            return
        now_ns = self.get_clock().now().nanoseconds
        moment_ns = self.checks[self.parameters.cameras[0]].latest.stamp_ns
        awaited = any(check.expects_nearer(moment_ns, now_ns) for check in self.checks.values())
        for name, pace in self.depth_paces.items():
            shot = self.checks[name].latest
            awaited |= now_ns - pace.stamp_ns <= self.parameters.stale_s * 1e9 and pace.expects_nearer(shot.stamp_ns)
        if not awaited:
            self.publish()

    def see_depth(self, name: str, message: Image) -> None:
        """A depth image of camera `name`."""
        try:
            self.depths[name] = decode_depth(message)
            self.depth_paces[name].add(nanoseconds(message.header.stamp))
            self.depth_problem = ""
        except WrongEncoding as error:
            self.depths.pop(name, None)
            self.depth_problem = f"depth of {name}: {error}"
        self.complete()

    def watch(self) -> None:
        """Keep saying how the cameras are when no image comes."""
        if self.active and time.monotonic_ns() - self.published_ns > 2e9 * self.parameters.stale_s:
            self.publish()

    def overdue(self) -> None:
        """What was waited for has not come in time."""
        self.due = False
        self.patience.cancel()
        if self.active:
            self.publish()

    def publish(self) -> None:
        """One set of frames."""
        self.due = False
        self.patience.cancel()
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
            # Depth that is not of the image's moment would put its pixels where nothing is.
            if (
                name in self.depths
                and abs(self.depth_paces[name].stamp_ns - shot.stamp_ns) <= self.parameters.skew_s * 1e9
            ):
                depths[name] = self.depths[name]
        message.depth_names = list(depths)
        if depths:
            import cv2

            size = (self.parameters.width, self.parameters.height)
            # Nearest: a mean over an edge would be a surface that does not exist.
            maps = [cv2.resize(image, size, interpolation=cv2.INTER_NEAREST) for image in depths.values()]
            message.depth = array("f", np.stack(maps).tobytes())
        # What cannot be used does not make the others old.
        seen = [shot.stamp_ns for shot in shots if shot.health is CameraHealth.OK] or [
            shot.stamp_ns for shot in shots if shot.stamp_ns
        ]
        message.header.stamp = time_message(min(seen, default=0))
        self.publisher.publish(message)
        self.published_ns = time.monotonic_ns()
        self.rate.tick(self.published_ns)
        if seen:
            self.age.add((now_ns - min(seen)) / 1e9)

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """For /diagnostics."""
        late = self.rate.newly_missed()
        now_ns = self.get_clock().now().nanoseconds
        shots = {name: check.newest(now_ns) for name, check in self.checks.items()}
        values: dict[str, object] = {
            **self.rate.values(),
            "image_age_p50_ms": 1e3 * self.age.summary().p50,
            "image_age_p95_ms": 1e3 * self.age.summary().p95,
            "work_p99_ms": 1e3 * self.work.summary().p99,
            **{f"{name}_images": check.images for name, check in self.checks.items()},
            **{f"{name}_health": shot.health.name for name, shot in shots.items()},
        }
        wrong = mismatches(self, self.topics)
        bad = [
            f"{name}: {shot.health.name.lower()}: {shot.problem}"
            for name, shot in shots.items()
            if shot.health is not CameraHealth.OK
        ]
        if wrong or bad or self.depth_problem:
            return ERROR, "; ".join([*wrong, *bad, *filter(None, [self.depth_problem])]), values
        if not self.active:
            return WARN, "not active", values
        if late > LATE_SHARE * self.parameters.rate_hz:
            return WARN, f"{late} late sets of frames in the last second", values
        return OK, "running", values


def main() -> None:
    urgent()
    sys.exit(run("camera", lambda: autostart(Camera())))


if __name__ == "__main__":
    main()
