"""Stand-ins for sensor_msgs/Image: what the decoders read of one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

RGB = np.full((4, 6, 3), (200, 100, 50), np.uint8)


def message(encoding: str, pixels: np.ndarray, padding: int = 0) -> SimpleNamespace:
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(height, -1)
    rows = np.hstack([rows, np.zeros((height, padding), np.uint8)])
    return SimpleNamespace(
        encoding=encoding, height=height, width=width, step=rows.shape[1], is_bigendian=0, data=rows.tobytes()
    )
