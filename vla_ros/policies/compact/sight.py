"""From scores of places in a picture to a point in the base frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CELL = 2  # pixels per row and column of the grid of places
WINDOW = 2  # cells on each side of the best one that count for its place


@dataclass(frozen=True)
class Pinhole:
    """k: (3, 3), pixel centres at whole numbers. T_base_camera: (4, 4) of the optical frame."""

    k: Array
    T_base_camera: Array

    def project(self, points: Array) -> Array:
        """Return (..., 3): pixel u, v and depth (m) of points (..., 3) in the base frame."""
        rotation, origin = self.T_base_camera[:3, :3], self.T_base_camera[:3, 3]
        local = (points - origin) @ rotation
        rays = local @ self.k.T
        depth = np.where(np.abs(rays[..., 2:]) < 1e-9, 1e-9, rays[..., 2:])
        return np.concatenate([rays[..., :2] / depth, local[..., 2:]], -1)

    def at_height(self, pixel: Array, height: Array) -> Array:
        """Return (..., 3) points of the base frame that pixels (..., 2) show, if they lie at z = height (...)."""
        pixel = np.asarray(pixel)
        ones = np.ones_like(pixel[..., :1])
        rays = np.concatenate([pixel, ones], -1) @ np.linalg.inv(self.k).T @ self.T_base_camera[:3, :3].T
        origin = self.T_base_camera[:3, 3]
        # A ray at or above the horizon meets no table: then the point is far away, and nobody believes it.
        down = np.minimum(rays[..., 2], -1e-3)
        point: Array = origin + rays * ((height - origin[2]) / down)[..., None]
        return point


def scaled(k: Array, height: int, width: int, size: int) -> Array:
    """Return the pinhole matrix after an image (height, width) was resized to size x size."""
    scale = np.array([[size / width, 0.0, 0.0], [0.0, size / height, 0.0], [0.0, 0.0, 1.0]])
    half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    result: Array = np.linalg.inv(half) @ scale @ half @ k
    return result


def to_cells(pixel: Array) -> Array:
    """Return the place on the grid, in cells with centres at whole numbers, of pixels."""
    return (pixel + 0.5) / CELL - 0.5


def to_pixels(cells: Array) -> Array:
    """Inverse of `to_cells`."""
    return (cells + 0.5) * CELL - 0.5


def place(scores: NDArray[np.floating]) -> tuple[Array, Array]:
    """Return cells (..., 2) (u, v) of the best place and the probability (...) that there is one.

    Args:
        scores: (..., places + 1): a square grid, row by row, and the score of "nowhere".
    """
    side = round((scores.shape[-1] - 1) ** 0.5)
    share = np.exp(scores - scores.max(-1, keepdims=True)).astype(np.float64)
    share /= share.sum(-1, keepdims=True)
    grid = share[..., :-1]
    best = grid.argmax(-1)
    rows, columns = np.divmod(np.arange(side * side), side)
    near = (np.abs(rows - (best // side)[..., None]) <= WINDOW) & (np.abs(columns - (best % side)[..., None]) <= WINDOW)
    weight = np.where(near, grid, 0.0)
    weight /= np.maximum(weight.sum(-1, keepdims=True), 1e-30)
    cells = np.stack([(weight * columns).sum(-1), (weight * rows).sum(-1)], -1)
    return cells, 1.0 - share[..., -1]
