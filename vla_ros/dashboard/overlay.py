"""Points of the workspace in pixels of a camera image."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from vla_ros.arrays import Array

MIN_DEPTH_M = 0.02  # a point nearer to the lens has no useful pixel
NO_PIXEL = np.full(3, np.nan)


def project(p_base: ArrayLike, k: Array, T_base_camera: Array) -> list[tuple[float, float] | None]:
    """Project points through a pinhole camera.

    Args:
        p_base: (n, 3) m.
        k: (3, 3) pinhole matrix, pixel.
        T_base_camera: (4, 4) pose of the optical frame (x right, y down, z forward).

    Returns:
        n entries: (column, row), pixel, which may lie outside the image; None for a point behind the camera or one that
            is not finite.
    """
    points = np.reshape(np.asarray(p_base, np.float64), (-1, 3))
    p_camera = (points - T_base_camera[:3, 3]) @ T_base_camera[:3, :3]
    pixels: list[tuple[float, float] | None] = []
    for x, y, z in p_camera:
        column, row, _ = k @ np.array([x / z, y / z, 1.0]) if z >= MIN_DEPTH_M else NO_PIXEL
        finite = math.isfinite(column) and math.isfinite(row)
        pixels.append((round(float(column), 1), round(float(row), 1)) if finite else None)
    return pixels
