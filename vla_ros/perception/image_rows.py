"""The bytes of a sensor_msgs/Image as an array without padding.

Rows may be longer than their pixels (`step`), as V4L2 and GPU buffers have them. The padding of the last row may be missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.perception.wrong_encoding import WrongEncoding


def described(message: Any) -> str:
    """Say what a message claims to be, e.g. "71 bytes for 6x4 rgb8, step 18"."""
    size = f"{message.width}x{message.height} {message.encoding}"
    return f"{len(message.data)} bytes for {size}, step {message.step}"


def image_rows(message: Any, row_bytes: int) -> NDArray[np.uint8]:
    """Return (height, row_bytes), a view of the message's data; bytes behind the rows are left out.

    Raises:
        WrongEncoding: the image has no pixels, its rows are shorter than row_bytes, or there are too few of them.
    """
    height, step = message.height, message.step
    if not height or not message.width or step < row_bytes or len(message.data) < step * (height - 1) + row_bytes:
        raise WrongEncoding(described(message))
    return np.ndarray((height, row_bytes), np.uint8, message.data, 0, (step, 1))


def pixels(message: Any, channels: int, kind: str) -> NDArray[Any]:
    """Return (height, width, channels) in the machine's byte order, or (height, width) of one channel.

    Args:
        channels: values of one pixel. kind: of one value, e.g. "u1", "u2", "f4".

    Raises:
        WrongEncoding: as `image_rows`.
    """
    value = np.dtype(kind)
    rows = image_rows(message, message.width * channels * value.itemsize)
    order = value.newbyteorder(">" if message.is_bigendian else "<")
    values = np.ascontiguousarray(rows).view(order).astype(value, copy=False)
    shape = (message.height, message.width, channels)
    return values.reshape(shape[:2] if channels == 1 else shape)
