"""The health of a camera: missing, stale, frozen, dark, of the wrong size or in a wrong encoding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from vla_ros.arrays import Array, Depth, Image
from vla_ros.perception.camera_geometry import (
    CameraGeometry,
    WrongCameraInfo,
    WrongImageSize,
    camera_geometry,
    geometry_key,
)
from vla_ros.perception.camera_traits import UNKNOWN, CameraTraits
from vla_ros.perception.encodings import ColourDecoder
from vla_ros.perception.frames import CameraHealth
from vla_ros.perception.intrinsics import resized
from vla_ros.perception.still_images import StillImages
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
        k: (3, 3) of the resized image, pixel; None where it is not known.
        health: OK, or what is wrong.
        problem: the same in words.
        geometry_problem: why k is not known although there is a CameraInfo; the image itself may be used.
    """

    stamp_ns: int
    image: Image
    k: Array | None
    health: CameraHealth
    problem: str = ""
    geometry_problem: str = ""


class CameraCheck:
    """Checks the images of one camera, undistorts and resizes them.

    Args:
        height, width: of the images handed on, pixel.
        stale_ns: an older image is STALE.
        frozen_images: so many identical images in a row are FROZEN, where the camera is known to have noise.
        dark_level: an image whose mean is lower, of 255, is DARK.
        traits: what is known of the camera.

    Attributes:
        images: number of images received.
        latest: the newest image, with its health on arrival.
    """

    def __init__(
        self,
        height: int,
        width: int,
        stale_ns: int,
        frozen_images: int,
        dark_level: float,
        traits: CameraTraits = UNKNOWN,
    ) -> None:
        self._size = (width, height)
        self._stale_ns = stale_ns
        self._frozen_images = frozen_images
        self._dark_level = dark_level
        self._decoder = ColourDecoder()
        self._traits = traits
        self._stills = StillImages(traits.noisy)
        self._geometry: CameraGeometry | None = None
        self._geometry_problem = ""
        self._geometry_key: tuple[object, ...] = ()
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
        try:
            image = self._decoder.decode(message)
            geometry = self._geometry_of(info, (image.shape[1], image.shape[0]))
        except WrongEncoding as error:
            self._fault(stamp_ns, CameraHealth.WRONG_ENCODING, str(error))
            return
        except WrongImageSize as error:
            self._fault(stamp_ns, CameraHealth.WRONG_SIZE, str(error))
            return
        self._stills.add(image)
        k = None
        if geometry is not None:
            k = resized(geometry.k, (image.shape[1], image.shape[0]), self._size)
            image = geometry.undistorted(image)
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        health, problem = self._judged(image)
        self.latest = CheckedImage(stamp_ns, image, k, health, problem, self._geometry_problem)

    def _judged(self, image: Image) -> tuple[CameraHealth, str]:
        """Return the health of an image that could be read, and what is wrong."""
        if self._stills.noisy and self._stills.identical >= self._frozen_images:
            remedy = "" if self._traits.noisy else "; where it sends no noise, name it in camera.noiseless_cameras"
            return CameraHealth.FROZEN, f"{self._stills.identical} identical images{remedy}"
        if float(image[::4, ::4].mean()) < self._dark_level:
            return CameraHealth.DARK, "black: lens cap, or no light"
        return CameraHealth.OK, ""

    def _geometry_of(self, info: Any, size: tuple[int, int]) -> CameraGeometry | None:
        """Return the geometry of an image, computed when something has changed; None: it is not known.

        Raises:
            WrongImageSize: the image is not as large as announced.
        """
        if info is None:
            return None
        key = geometry_key(info, size, self._traits.rectified)
        if key != self._geometry_key:
            self._geometry, self._geometry_problem, self._geometry_key = None, "", ()
            try:
                self._geometry = camera_geometry(info, size, self._traits.rectified)
                if self._traits.keep_distortion and self._geometry.maps is not None:
                    self._geometry = None
            except WrongImageSize:
                raise
            except WrongCameraInfo as error:
                self._geometry_problem = f"CameraInfo: {error}"
            self._geometry_key = key
        return self._geometry

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
        if age_s > 0 and self._timing.period_ns > self._stale_ns:
            why += f"; its images come every {self._timing.period_ns / NS_PER_S:.1f} s: raise camera.stale_s"
        return replace(newest, health=CameraHealth.STALE, problem=why)

    def silent(self, now_ns: int) -> bool:
        """Whether the camera is missing or stale."""
        return self.newest(now_ns).health in (CameraHealth.MISSING, CameraHealth.STALE)

    def expects_nearer(self, moment_ns: int, now_ns: int, within_ns: int) -> bool:
        """Return whether an image nearer to a moment than the newest one is to be expected; none is of a silent camera.

        Args:
            moment_ns, now_ns: on the stamps' clock. within_ns: as for `StreamTiming.expects_nearer`.
        """
        return not self.silent(now_ns) and self._timing.expects_nearer(moment_ns, within_ns)

    def undistorted_depth(self, depth: Depth) -> Depth:
        """Return a depth image (H, W), m, as the colour image is: undistorted, where it has that one's size."""
        return depth if self._geometry is None else self._geometry.undistorted_depth(depth)
