"""Images of any common encoding to arrays. Messages are read by their fields, without ROS."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from vla_ros.arrays import Depth, Image

BAYER = ("bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8")
COLOUR_ENCODINGS = (
    "rgb8",
    "bgr8",
    "rgba8",
    "bgra8",
    "mono8",
    "mono16",
    "yuv422",
    "yuv422_yuy2",
    "uyvy",
    "yuyv",
    *BAYER,
)


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


def decode_colour(message: Any) -> Image:
    """Decode a sensor_msgs/Image or CompressedImage to (H, W, 3) rgb.

    Raises:
        WrongEncoding: the encoding is none of COLOUR_ENCODINGS, or the bytes do not fill an image of the stated size.
    """
    if hasattr(message, "format"):
        try:
            decoded = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error as error:  # no bytes, or a size that it refuses
            raise WrongEncoding(f"compressed image ({message.format!r}): {error.err or 'no image'}") from None
        if decoded is None:
            raise WrongEncoding(f"compressed image ({message.format!r}): neither jpeg nor png")
        return np.ascontiguousarray(decoded[:, :, ::-1], np.uint8)
    if message.encoding not in COLOUR_ENCODINGS:
        raise WrongEncoding(f"encoding {message.encoding!r}: colour is read from {', '.join(COLOUR_ENCODINGS)}")
    _check_bytes(message)
    needed = message.step * message.height
    if message.encoding == "rgb8":
        rows = np.frombuffer(message.data, np.uint8)[:needed].reshape(message.height, message.step)
        return rows[:, : 3 * message.width].reshape(message.height, message.width, 3)
    try:
        return np.ascontiguousarray(_decoder()(message))
    except Exception as error:  # both libraries raise classes of their own
        raise WrongEncoding(f"encoding {message.encoding!r}: {error}") from None


def decode_depth(message: Any) -> Depth:
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
