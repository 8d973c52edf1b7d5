"""Camera images: decoded from any common encoding, checked, resized once. No ROS: messages are read by their fields."""

from __future__ import annotations

import functools
import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.perception.frames import CameraHealth

Image = NDArray[np.uint8]
Depth = NDArray[np.float32]

BAYER = ("bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8")
AHEAD_NS = 100_000_000
"""An image stamped further ahead than this is of another clock: how old it is, is not known."""
COLOUR = ("rgb8", "bgr8", "rgba8", "bgra8", "mono8", "mono16", "yuv422", "yuv422_yuy2", "uyvy", "yuyv", *BAYER)


class WrongEncoding(ValueError):
    """The image cannot be read; the text names the encoding and what is read."""


@functools.cache
def _decoder() -> Callable[[Any], Image]:
    """cv_bridge where a ROS installation brings it, else rosbags-image, which reads the same messages."""
    try:
        from cv_bridge import CvBridge

        bridge = CvBridge()
        return lambda message: np.asarray(bridge.imgmsg_to_cv2(message, "rgb8"), np.uint8)
    except ImportError:
        from rosbags.image import message_to_cvimage

        return lambda message: np.asarray(message_to_cvimage(message, "rgb8"), np.uint8)


PIXEL_BYTES = {
    **dict.fromkeys(("rgb8", "bgr8"), 3),
    **dict.fromkeys(("rgba8", "bgra8", "32FC1"), 4),
    **dict.fromkeys(("mono16", "16UC1", "yuv422", "yuv422_yuy2", "uyvy", "yuyv"), 2),
    **dict.fromkeys(("mono8", *BAYER), 1),
}


def _check_bytes(message: Any) -> None:
    """Refuse an image whose rows are shorter than its width, or that has fewer bytes than rows."""
    height, width, step = message.height, message.width, message.step
    if not height or not width or step < width * PIXEL_BYTES[message.encoding] or len(message.data) < step * height:
        raise WrongEncoding(f"{len(message.data)} bytes for {width}x{height} {message.encoding}, step {step}")


def colour(message: Any) -> Image:
    """Decode a sensor_msgs/Image or CompressedImage to (H, W, 3) rgb.

    Raises:
        WrongEncoding: the encoding is none of COLOUR, or the bytes are not an image of the size that the message says.
    """
    if hasattr(message, "format"):
        try:
            decoded = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error as error:  # no bytes, or a size that it refuses
            raise WrongEncoding(f"compressed image ({message.format!r}): {error.err or 'no image'}") from None
        if decoded is None:
            raise WrongEncoding(f"compressed image ({message.format!r}): neither jpeg nor png")
        return np.ascontiguousarray(decoded[:, :, ::-1], np.uint8)
    if message.encoding not in COLOUR:
        raise WrongEncoding(f"encoding {message.encoding!r}: colour is read from {', '.join(COLOUR)}")
    _check_bytes(message)
    needed = message.step * message.height
    if message.encoding == "rgb8":
        rows = np.frombuffer(message.data, np.uint8)[:needed].reshape(message.height, message.step)
        return rows[:, : 3 * message.width].reshape(message.height, message.width, 3)
    try:
        return np.ascontiguousarray(_decoder()(message))
    except Exception as error:  # both libraries raise classes of their own
        raise WrongEncoding(f"encoding {message.encoding!r}: {error}") from None


def depth(message: Any) -> Depth:
    """Decode a depth image (16UC1 in mm, 32FC1 in m) to (H, W) m; NaN where there is no reading.

    Raises:
        WrongEncoding: it is another encoding, or has too few bytes.
    """
    kinds: dict[str, np.dtype[Any]] = {
        "16UC1": np.dtype(np.uint16),
        "mono16": np.dtype(np.uint16),
        "32FC1": np.dtype(np.float32),
    }
    if message.encoding not in kinds:
        raise WrongEncoding(f"encoding {message.encoding!r}: depth is read from 16UC1 and 32FC1")
    kind = kinds[message.encoding].newbyteorder(">" if message.is_bigendian else "<")
    _check_bytes(message)
    rows = np.frombuffer(message.data, np.uint8)[: message.step * message.height].reshape(message.height, message.step)
    values: Depth = rows[:, : message.width * kind.itemsize].copy().view(kind).astype(np.float32)
    if kind.itemsize == 2:
        values /= 1000.0
    values[(values <= 0) | ~np.isfinite(values)] = np.nan
    return values


class Pace:
    """When the images of one stream come. stamp_ns: of the newest; 0: none yet."""

    def __init__(self) -> None:
        self.stamp_ns = 0
        self._intervals_ns: deque[int] = deque(maxlen=5)

    def add(self, stamp_ns: int) -> None:
        """An image has come."""
        if self.stamp_ns and stamp_ns > self.stamp_ns:
            self._intervals_ns.append(stamp_ns - self.stamp_ns)
        self.stamp_ns = stamp_ns

    def awaited(self, moment_ns: int) -> bool:
        """Return whether an image nearer to a moment than the newest is to be expected. One that was lost changes no pace."""
        return 2 * (moment_ns - self.stamp_ns) > min(self._intervals_ns, default=0)


@dataclass
class Shot:
    """One decoded image, ready for everyone. k: (3, 3) of the resized image, or None."""

    stamp_ns: int
    image: Image
    k: NDArray[np.float64] | None
    health: CameraHealth
    problem: str = ""


class CameraCheck:
    """Looks after one camera: decodes, resizes and judges its images.

    Args:
        height, width: of the images handed on. stale_ns, frozen_images, dark_level: what counts as a fault.
    """

    def __init__(self, height: int, width: int, stale_ns: int, frozen_images: int, dark_level: float) -> None:
        self._size = (width, height)
        self._stale_ns = stale_ns
        self._frozen_images = frozen_images
        self._dark_level = dark_level
        self._digest = b""
        self._same = 0
        self.shot = Shot(0, np.zeros((height, width, 3), np.uint8), None, CameraHealth.MISSING, "no image received")
        self.images = 0
        self._pace = Pace()

    def receive(self, message: Any, stamp_ns: int, info: Any = None) -> None:
        """Take an image in. info: the camera's CameraInfo, or None."""
        self._pace.add(stamp_ns)
        self.images += 1
        digest = hashlib.blake2b(memoryview(message.data), digest_size=8).digest()
        self._same = self._same + 1 if digest == self._digest else 1
        self._digest = digest
        try:
            image = colour(message)
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
            scale = np.array([self._size[0] / width, self._size[1] / height, 1.0])
            k = np.array(info.k, np.float64).reshape(3, 3) * scale[:, None]
            # Pixel centres lie at whole numbers: the half pixel at the border scales too.
            k[:2, 2] += (scale[:2] - 1) / 2
        if (width, height) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        health, problem = CameraHealth.OK, ""
        if self._same >= self._frozen_images:
            health, problem = CameraHealth.FROZEN, f"{self._same} identical images"
        elif float(image[::4, ::4].mean()) < self._dark_level:
            health, problem = CameraHealth.DARK, "black: lens cap, or no light"
        self.shot = Shot(stamp_ns, image, k, health, problem)

    def _fault(self, stamp_ns: int, health: CameraHealth, problem: str) -> None:
        self.shot = Shot(stamp_ns, np.zeros((self._size[1], self._size[0], 3), np.uint8), None, health, problem)

    def judged(self, now_ns: int) -> Shot:
        """Return the newest image with its health at `now_ns` (same clock as the stamps)."""
        age_ns = now_ns - self.shot.stamp_ns
        if self.shot.health is CameraHealth.MISSING or -AHEAD_NS <= age_ns <= self._stale_ns:
            return self.shot
        shot, age_s = self.shot, age_ns / 1e9
        why = f"newest image {age_s:.1f} s old" if age_s > 0 else f"stamped {-age_s:.1f} s ahead; compare the clocks"
        return Shot(shot.stamp_ns, shot.image, shot.k, CameraHealth.STALE, why)

    def awaited(self, moment_ns: int, now_ns: int) -> bool:
        """Return whether an image nearer to a moment than the newest is to be expected (all on the stamps' clock): not of a
        camera that has fallen silent."""
        silent = self.judged(now_ns).health in (CameraHealth.MISSING, CameraHealth.STALE)
        return not silent and self._pace.awaited(moment_ns)
