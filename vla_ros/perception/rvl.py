"""Depth that compressed_depth_image_transport has packed by run lengths (RVL).

Source: A. D. Wilson, "Fast Lossless Depth Image Compression", ISS 2017. Values are numbers of 3 bits a nibble, the lowest
first, whose fourth bit says that more follow. They come as: number of zeros, number of others, the others' differences.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vla_ros.perception.wrong_encoding import WrongEncoding

MAX_PIXELS_PER_BYTE = 1 << 18
"""Of an image without any reading; more is no image but a wrong size."""


def decode_rvl(data: bytes) -> NDArray[np.uint16]:
    """Return (H, W) of the bytes behind the header: columns, rows, values.

    Raises:
        WrongEncoding: they are too few for the size that they state.
    """
    columns, rows = (int(n) for n in np.frombuffer(data[:8].ljust(8, b"\0"), "<u4"))
    count = columns * rows
    if not 0 < count <= MAX_PIXELS_PER_BYTE * len(data):
        raise WrongEncoding(f"{len(data)} bytes for {columns}x{rows} depth packed by run lengths (rvl)")
    values = _numbers(data[8 : 8 + (len(data) - 8) // 4 * 4])
    depth, at, pixel, newest = np.zeros(count, np.uint16), 0, 0, 0
    while pixel < count:
        zeros, others = (*(int(n) for n in values[at : at + 2]), 0, 0)[:2]
        pixel += zeros
        steps = values[at + 2 : at + 2 + others]
        if len(values) < at + 2 + others - (others == 0) or not zeros + others or pixel + others > count:
            raise WrongEncoding(f"{len(data)} bytes for {columns}x{rows} depth packed by run lengths (rvl)")
        run = newest + np.cumsum((steps >> 1) ^ -(steps & 1))
        depth[pixel : pixel + others] = run
        newest = int(run[-1]) if others else newest
        at, pixel = at + 2 + others, pixel + others
    return depth.reshape(rows, columns)


def _numbers(data: bytes) -> NDArray[np.int64]:
    """Return all numbers of the nibbles, the highest of each word of 32 bits first."""
    words = np.frombuffer(data, "<u4")
    nibbles = ((words[:, None] >> np.arange(28, -1, -4, dtype=np.uint32)) & 0xF).ravel().astype(np.int64)
    ends = np.flatnonzero(nibbles < 8)
    if not len(ends):
        return np.zeros(0, np.int64)
    nibbles = nibbles[: ends[-1] + 1]
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(nibbles)) - np.repeat(starts, np.diff([*starts, len(nibbles)]))
    return np.add.reduceat((nibbles & 7) << np.minimum(3 * place, 60), starts)
