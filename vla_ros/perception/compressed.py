"""The images in a sensor_msgs/CompressedImage: jpeg, png, and the depth of compressed_depth_image_transport.

What the bytes are is read from the bytes: drivers write "jpeg", "jpg", "rgb8; jpeg compressed bgr8" or nothing as format.

Source: compressed_image_transport and compressed_depth_image_transport (ConfigHeader, codec).
"""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Depth
from vla_ros.perception.rvl import decode_rvl
from vla_ros.perception.wrong_encoding import WrongEncoding

PNG = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct("<iff")
"""In front of compressed depth: kind, and the two parameters of its quantisation."""


def uncompressed(message: Any) -> NDArray[Any]:
    """Return the picture of a jpeg, png or what else OpenCV reads: (H, W), (H, W, 3) bgr or (H, W, 4) bgra.

    It is not turned as its EXIF data may say: CameraInfo knows nothing of them.

    Raises:
        WrongEncoding: it is no picture, or compressed depth.
    """
    data = bytes(message.data)
    if _is_compressed_depth(message, data):
        raise WrongEncoding(f"compressed image ({message.format!r}): this is depth, not colour")
    return _picture(message, data)


def decode_compressed_depth(message: Any) -> Depth:
    """Return the depth (H, W) of a png, with or without the transport's header, or of its rvl; m, NaN: no reading.

    Raises:
        WrongEncoding: it is none of them.
    """
    data = bytes(message.data)
    quantised = message.format.startswith("32FC1")
    if not _is_compressed_depth(message, data):
        values, a, b = _picture(message, data), 0.0, 0.0
    else:
        _, a, b = HEADER.unpack_from(data)
        body = data[HEADER.size :]
        values = _picture(message, body) if body.startswith(PNG) else decode_rvl(body)
        # Without a format only what the header holds can tell; of whole millimetres it holds zeros, or what was there before.
        quantised |= not message.format.startswith("16UC1") and 1.0 <= a <= 1e9 and -1e9 <= b <= 1.0
    if values.ndim != 2 or values.dtype != np.uint16:
        raise WrongEncoding(f"compressed image ({message.format!r}): depth has one channel of 16 bits")
    with np.errstate(divide="ignore", invalid="ignore"):
        depth: Depth = np.asarray(a / (values - np.float32(b)) if quantised else values / 1000.0, np.float32)
        depth[(values == 0) | ~(depth > 0) | ~np.isfinite(depth)] = np.nan
    return depth


def _is_compressed_depth(message: Any, data: bytes) -> bool:
    """Whether there is the header of compressed depth."""
    if data.startswith((PNG, b"\xff\xd8")) or len(data) <= HEADER.size:
        return False
    return data[HEADER.size :].startswith(PNG) or "compresseddepth" in message.format.replace(" ", "").lower()


def _picture(message: Any, data: bytes) -> NDArray[Any]:
    what = f"compressed image ({message.format!r})"
    if not data:
        raise WrongEncoding(f"{what}: no bytes")
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:  # a size that it refuses
        raise WrongEncoding(f"{what}: {error.err or 'no image'}") from None
    if decoded is None:
        raise WrongEncoding(f"{what}: {len(data)} bytes, neither jpeg nor png, or cut off")
    return np.asarray(decoded)
