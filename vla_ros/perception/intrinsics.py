"""Pinhole matrices: of a field of view, of a resized image, and of a part of one. Pixel centres are whole numbers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from vla_ros.arrays import Array


def pinhole_matrix(height: int, width: int, vertical_field_of_view_rad: float) -> Array:
    """Return k (3, 3), pixel, of an image of this size."""
    focal = height / 2 / math.tan(vertical_field_of_view_rad / 2)
    return np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])


def resized(k: ArrayLike, size: tuple[int, int], new_size: tuple[int, int]) -> Array:
    """Return the pinhole matrix of an image after it was resized.

    Args:
        k: (9,) or (3, 3), row by row, pixel.
        size, new_size: columns and rows.
    """
    scale = np.array([new_size[0] / size[0], new_size[1] / size[1], 1.0])
    scaled: Array = np.array(k, np.float64).reshape(3, 3) * scale[:, None]
    # Pixel centres are whole numbers: the half pixel at the border scales too.
    scaled[:2, 2] += (scale[:2] - 1) / 2
    return scaled


def cropped(k: ArrayLike, origin: tuple[int, int]) -> Array:
    """Return the pinhole matrix of a part of an image.

    Args:
        k: (9,) or (3, 3), row by row, pixel.
        origin: column and row of the part's first pixel.
    """
    part: Array = np.array(k, np.float64).reshape(3, 3)
    part[:2, 2] -= origin
    return part
