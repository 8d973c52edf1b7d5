"""Images of brightness (y) and colour difference (u, v) to rgb, by the matrix of BT.601 with y from 16 to 235.

Source: V4L2's pixel formats (YUYV, UYVY, NV12, NV21, NV24, YUV420) and ITU-R BT.601. Sizes may be odd: the pixels at the
border then share their u and v with none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Image
from vla_ros.perception.image_rows import described, image_rows, pixels
from vla_ros.perception.wrong_encoding import WrongEncoding

UYVY, YUYV, YVYU = cv2.COLOR_YUV2RGB_UYVY, cv2.COLOR_YUV2RGB_YUY2, cv2.COLOR_YUV2RGB_YVYU
PACKED_422 = {
    **dict.fromkeys(("uyvy", "yuv422", "yuv422_uyvy"), UYVY),
    **dict.fromkeys(("yuyv", "yuv422_yuy2", "yuy2"), YUYV),
    "yvyu": YVYU,
}
"""Two pixels in four bytes → the conversion."""


@dataclass(frozen=True)
class PlaneLayout:
    """A plane of y with planes of u and v behind it.

    Attributes:
        columns, rows: of pixels that share one u and v.
        interleaved: u and v are one plane of pairs.
        v_first: v comes before u.
    """

    columns: int
    rows: int
    interleaved: bool = True
    v_first: bool = False


PLANAR = {
    "nv12": PlaneLayout(2, 2),
    "nv21": PlaneLayout(2, 2, v_first=True),
    "nv16": PlaneLayout(2, 1),
    "nv61": PlaneLayout(2, 1, v_first=True),
    "nv24": PlaneLayout(1, 1),
    "nv42": PlaneLayout(1, 1, v_first=True),
    **dict.fromkeys(("i420", "yuv420"), PlaneLayout(2, 2, interleaved=False)),
    "yv12": PlaneLayout(2, 2, interleaved=False, v_first=True),
}
PLANAR_444 = PlaneLayout(1, 1, interleaved=False)
YUV_ENCODINGS = (*PACKED_422, *PLANAR, "yuv444")
BT601 = np.array(
    [[1.164384, 0.0, 1.596027], [1.164384, -0.391762, -0.812968], [1.164384, 2.017232, 0.0]],
)
TO_RGB = np.hstack([BT601, BT601 @ [[-16.0], [-128.0], [-128.0]]])
"""(3, 4): rgb from (y, u, v, 1)."""


def decode_yuv(message: Any, encoding: str) -> Image:
    """Decode a sensor_msgs/Image of one of YUV_ENCODINGS to (H, W, 3) rgb.

    Raises:
        WrongEncoding: the bytes do not fill an image of the stated size.
    """
    if encoding in PACKED_422:
        return _packed_422(message, PACKED_422[encoding])
    if encoding in PLANAR:
        return _planar(message, PLANAR[encoding])
    # yuv444 has either three bytes a pixel in a row, or three planes one behind the other.
    if message.step >= 3 * message.width and len(message.data) <= message.step * message.height:
        return _rgb(pixels(message, 3, "u1"))
    return _planar(message, PLANAR_444)


def _rgb(yuv: NDArray[np.uint8]) -> Image:
    return np.asarray(cv2.transform(yuv, TO_RGB), np.uint8)


def _packed_422(message: Any, conversion: int) -> Image:
    width, whole = message.width, 2 * (message.width + 1) // 4 * 4
    rows = image_rows(message, 2 * width if message.step < whole else whole)
    if rows.shape[1] < whole:  # half of the last pair is missing: the pixel before has its colour
        rows = np.hstack([rows, rows[:, -4:-2] if width > 1 else rows])
    pairs = np.ascontiguousarray(rows).reshape(message.height, -1, 2)
    return np.ascontiguousarray(np.asarray(cv2.cvtColor(pairs, conversion), np.uint8)[:, :width])


def _planar(message: Any, layout: PlaneLayout) -> Image:
    height, width, step = _size_and_step(message, layout)
    columns, rows = -(-width // layout.columns), -(-height // layout.rows)
    y = np.ndarray((height, width), np.uint8, message.data, 0, (step, 1))
    stride, start = _colour_step(step, width, layout), step * height
    if layout.interleaved:
        pairs = np.ndarray((rows, columns, 2), np.uint8, message.data, start, (stride, 2, 1))
        planes = [pairs[..., 0], pairs[..., 1]]
    else:
        starts = (start, start + stride * rows)
        planes = [np.ndarray((rows, columns), np.uint8, message.data, at, (stride, 1)) for at in starts]
    u, v = reversed(planes) if layout.v_first else planes
    if (layout.columns, layout.rows) == (2, 2):  # the usual one, and OpenCV has it in one step
        even = cv2.copyMakeBorder(np.ascontiguousarray(y), 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        rgb = cv2.cvtColorTwoPlane(even, cv2.merge([*map(np.ascontiguousarray, (u, v))]), cv2.COLOR_YUV2RGB_NV12)
        return np.ascontiguousarray(np.asarray(rgb, np.uint8)[:height, :width])
    if (layout.columns, layout.rows) != (1, 1):
        u, v = (plane.repeat(layout.rows, 0).repeat(layout.columns, 1)[:height, :width] for plane in (u, v))
    return _rgb(np.asarray(cv2.merge([*map(np.ascontiguousarray, (y, u, v))]), np.uint8))


def _colour_step(step: int, width: int, layout: PlaneLayout) -> int:
    """Return the bytes from one row of a plane of u and v to the next, where y has `step`."""
    values = 2 if layout.interleaved else 1
    return max(-(-step * values // layout.columns), -(-width // layout.columns) * values)


def _size_and_step(message: Any, layout: PlaneLayout) -> tuple[int, int, int]:
    """Return height, width and the bytes of a row of y.

    Drivers disagree on what `step` and `height` count: rows of y alone, or all planes. The number of bytes tells.

    Raises:
        WrongEncoding: it fits none of them.
    """
    height, width, step, size = message.height, message.width, message.step, len(message.data)

    def needed(height: int, step: int, padded: bool = True) -> int:
        """Bytes of all planes. padded: with the padding of the last row."""
        stride, rows = _colour_step(step, width, layout), -(-height // layout.rows)
        last = 0 if padded else stride - _colour_step(width, width, layout)
        return step * height + (1 if layout.interleaved else 2) * stride * rows - last

    if height and width:
        planes = 1 + 2 / (layout.columns * layout.rows)
        if step >= width and needed(height, step, padded=False) <= size:
            return height, width, step
        if needed(height, width) == size:
            return height, width, width
        inner = int(step / planes)
        if inner >= width and needed(height, inner, padded=False) <= size <= step * height:
            return height, width, inner
        outer = round(height / planes)
        if step >= width and needed(outer, step) == size == step * height:
            return outer, width, step
    raise WrongEncoding(described(message))
