"""Images of any common encoding to arrays. Messages are read by their fields, without ROS.

cv_bridge converts what it can where it is installed and works (`bridge`), OpenCV everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Depth, Image
from vla_ros.perception.bridge import conversions
from vla_ros.perception.compressed import decode_compressed_depth, uncompressed
from vla_ros.perception.image_rows import image_rows, pixels
from vla_ros.perception.wrong_encoding import WrongEncoding
from vla_ros.perception.yuv import YUV_ENCODINGS, decode_yuv

RGB, GREY = None, cv2.COLOR_GRAY2RGB
BAYER = {
    "rggb": cv2.COLOR_BayerBG2RGB,  # OpenCV names the pattern by its second row
    "bggr": cv2.COLOR_BayerRG2RGB,
    "gbrg": cv2.COLOR_BayerGR2RGB,
    "grbg": cv2.COLOR_BayerGB2RGB,
}
DEPTH_KINDS = {"16uc1": "u2", "mono16": "u2", "32fc1": "f4"}


@dataclass(frozen=True)
class PixelFormat:
    """How a pixel is packed: number of values, the kind of each, OpenCV's conversion to rgb (None: it is rgb)."""

    channels: int
    kind: str
    to_rgb: int | None


FORMATS = {
    f"{name}{bits}": PixelFormat(channels, f"u{bits // 8}", to_rgb)
    for bits in (8, 16)
    for name, channels, to_rgb in (
        ("rgb", 3, RGB),
        ("bgr", 3, cv2.COLOR_BGR2RGB),
        ("rgba", 4, cv2.COLOR_RGBA2RGB),
        ("bgra", 4, cv2.COLOR_BGRA2RGB),
        ("mono", 1, GREY),
        *((f"bayer_{order}", 1, to_rgb) for order, to_rgb in BAYER.items()),
    )
}
# OpenCV's own names say nothing of the order of colours: who sends them has an array of OpenCV's, which is bgr. 16UC1 is left
# out: it is depth.
FORMATS |= {"8uc1": FORMATS["mono8"], "8uc3": FORMATS["bgr8"], "8uc4": FORMATS["bgra8"]}
FORMATS |= {"16uc3": FORMATS["bgr16"], "16uc4": FORMATS["bgra16"]}
COLOUR_ENCODINGS = (*FORMATS, *YUV_ENCODINGS)


class ColourDecoder:
    """Decodes the images of one camera.

    Values of 16 bits may use 10, 12 or 14 of them, which no message says: the largest value that this camera has sent tells.
    """

    def __init__(self) -> None:
        self._largest = 0

    def decode(self, message: Any) -> Image:
        """Decode a sensor_msgs/Image or CompressedImage to (H, W, 3) rgb.

        Raises:
            WrongEncoding: the encoding is none of COLOUR_ENCODINGS, or the bytes do not fill an image of the stated size.
        """
        try:
            return self._compressed(message) if hasattr(message, "format") else self._raw(message)
        except cv2.error as error:
            what = getattr(message, "encoding", None) or getattr(message, "format", "")
            raise WrongEncoding(f"{what!r}: {error.err}") from None

    def _raw(self, message: Any) -> Image:
        encoding = message.encoding.lower()
        if encoding in YUV_ENCODINGS:
            return decode_yuv(message, encoding)
        if encoding not in FORMATS:
            is_depth = encoding in DEPTH_KINDS
            remedy = "this is depth" if is_depth else f"colour is read from {', '.join(COLOUR_ENCODINGS)}"
            raise WrongEncoding(f"encoding {message.encoding!r}: {remedy}")
        chosen = FORMATS[encoding]
        convert = conversions().get(encoding)
        if convert is not None and message.step == message.width * chosen.channels:
            image_rows(message, message.step)  # whether all bytes are there
            return convert(message)
        return self._rgb(pixels(message, chosen.channels, chosen.kind), chosen.to_rgb)

    def _compressed(self, message: Any) -> Image:
        decoded = uncompressed(message)
        if decoded.ndim == 3:
            return self._rgb(decoded, cv2.COLOR_BGRA2RGB if decoded.shape[2] == 4 else cv2.COLOR_BGR2RGB)
        encoding = message.format.partition(";")[0].strip().lower()
        return self._rgb(
            decoded, FORMATS[encoding].to_rgb if encoding.startswith("bayer") and encoding in FORMATS else GREY
        )

    def _rgb(self, values: NDArray[Any], to_rgb: int | None) -> Image:
        if values.dtype != np.uint8:
            if values.dtype != np.uint16:
                raise WrongEncoding(f"values of kind {values.dtype}: colour has 8 or 16 bits")
            self._largest = max(self._largest, int(values.max()))
            bits = next(bits for bits in (10, 12, 14, 16) if self._largest < 1 << bits)
            values = (values >> (bits - 8)).astype(np.uint8)
        return values if to_rgb is None else np.asarray(cv2.cvtColor(values, to_rgb), np.uint8)


def decode_colour(message: Any) -> Image:
    """Decode one image of a camera of which nothing else is known; see `ColourDecoder.decode`."""
    return ColourDecoder().decode(message)


def decode_depth(message: Any) -> Depth:
    """Decode a depth image (16UC1 in mm, 32FC1 in m, or CompressedImage) to (H, W) m; NaN where there is no reading.

    Raises:
        WrongEncoding: it is another encoding, or has too few bytes.
    """
    if hasattr(message, "format"):
        return decode_compressed_depth(message)
    kind = DEPTH_KINDS.get(message.encoding.lower())
    if kind is None:
        raise WrongEncoding(f"encoding {message.encoding!r}: depth is read from 16UC1 and 32FC1")
    values: Depth = pixels(message, 1, kind).astype(np.float32)
    if kind == "u2":
        values /= 1000.0
    values[(values <= 0) | ~np.isfinite(values)] = np.nan
    return values
