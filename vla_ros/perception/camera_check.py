"""The health of a camera: missing, stale, frozen, dark, of the wrong size or in a wrong encoding."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vla_ros.arrays import Array, Image
from vla_ros.perception.encodings import ColourDecoder
from vla_ros.perception.frames import CameraHealth
from vla_ros.perception.intrinsics import resized
from vla_ros.perception.stream_timing import StreamTiming
from vla_ros.perception.wrong_encoding import WrongEncoding
from vla_ros.time import NS_PER_S

AHEAD_NS = 100_000_000
"""An image stamped further ahead than this comes from another clock: its age is not known."""


@dataclass
class CheckedImage:
    """One decoded image with its health.

    Attributes:
        stamp_ns: when it was taken; 0: there is none.
        image: (H, W, 3) rgb, resized; black where it is not to be used.
        k: (3, 3) of the resized image, pixel; None without CameraInfo.
        health: OK, or what is wrong.
        problem: the same in words.
    """

    stamp_ns: int
    image: Image
    k: Array | None
    health: CameraHealth
    problem: str = ""


class CameraCheck:
    """Checks the images of one camera, and resizes them.

    Args:
        height, width: of the images handed on, pixel.
        stale_ns: an older image is STALE.
        frozen_images: so many identical images in a row are FROZEN.
        dark_level: an image whose mean is lower, of 255, is DARK.

    Attributes:
        images: number of images received.
        latest: the newest image, with its health on arrival.
    """

    def __init__(self, height: int, width: int, stale_ns: int, frozen_images: int, dark_level: float) -> None:
        self._size = (width, height)
        self._stale_ns = stale_ns
        self._frozen_images = frozen_images
        self._dark_level = dark_level
        self._decoder = ColourDecoder()
        self._digest = b""
        self._same = 0
        self.latest = CheckedImage(
            0, np.zeros((height, width, 3), np.uint8), None, CameraHealth.MISSING, "no image received"
        )
        self.images = 0
        self._timing = StreamTiming()

    def receive(self, message: Any, stamp_ns: int, info: Any = None) -> None:
        """Take an image in.

        Args:
            message: sensor_msgs/Image or CompressedImage.
            stamp_ns: of the message.
            info: the camera's sensor_msgs/CameraInfo, or None.
        """
        self._timing.add(stamp_ns)
        self.images += 1
        digest = hashlib.blake2b(memoryview(message.data), digest_size=8).digest()
        self._same = self._same + 1 if digest == self._digest else 1
        self._digest = digest
        try:
            image = self._decoder.decode(message)
        except WrongEncoding as error:
            self._fault(stamp_ns, CameraHealth.WRONG_ENCODING, str(error))
            return
        height, width = image.shape[:2]
        k = None
        if info is not None and any(info.k):
            if info.width and (info.width, info.height) != (width, height):
                announced = f"{info.width}x{info.height}"
                self._fault(stamp_ns, CameraHealth.WRONG_SIZE, f"{width}x{height}, its CameraInfo says {announced}")
                return
            k = resized(info.k, (width, height), self._size)
        if (width, height) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        health, problem = CameraHealth.OK, ""
        if self._same >= self._frozen_images:
            health, problem = CameraHealth.FROZEN, f"{self._same} identical images"
        elif float(image[::4, ::4].mean()) < self._dark_level:
            health, problem = CameraHealth.DARK, "black: lens cap, or no light"
        self.latest = CheckedImage(stamp_ns, image, k, health, problem)

    def _fault(self, stamp_ns: int, health: CameraHealth, problem: str) -> None:
        self.latest = CheckedImage(
            stamp_ns, np.zeros((self._size[1], self._size[0], 3), np.uint8), None, health, problem
        )

    def newest(self, now_ns: int) -> CheckedImage:
        """Return the newest image with its health at `now_ns` (same clock as the stamps)."""
        age_ns = now_ns - self.latest.stamp_ns
        if self.latest.health is CameraHealth.MISSING or -AHEAD_NS <= age_ns <= self._stale_ns:
            return self.latest
        newest, age_s = self.latest, age_ns / NS_PER_S
        why = f"newest image {age_s:.1f} s old" if age_s > 0 else f"stamped {-age_s:.1f} s ahead; compare the clocks"
        return CheckedImage(newest.stamp_ns, newest.image, newest.k, CameraHealth.STALE, why)

    def expects_nearer(self, moment_ns: int, now_ns: int) -> bool:
        """Return whether an image nearer to a moment than the newest one is to be expected.

        None is of a camera that is missing or stale. Both times are on the stamps' clock.
        """
        silent = self.newest(now_ns).health in (CameraHealth.MISSING, CameraHealth.STALE)
        return not silent and self._timing.expects_nearer(moment_ns)
