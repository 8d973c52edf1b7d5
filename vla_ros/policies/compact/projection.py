"""From scores of places in a picture to a point in the base frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CELL = 2  # pixels per row and column of the grid of places
WINDOW = 2  # cells on each side of the best one that count for its place
APART = 3  # cells: nearer than this are no two places
PLACES = 4  # that the first look may find for a thing without a colour: the second one chooses,
RIVAL = 0.03  # among those that have so much of the best one's share
SHARP = 2  # the picture of the second look has so many times the rows and columns of the first
# What a second look says: offset u, v from the middle of the cut-out (REACH_PX pixels of the sharp picture), height over
# the table (dm), cosine and sine of four times the yaw, log of the variance of the place (pixels^2), log of the odds that it
# is what was asked for.
SEEN = 7
MEANT = 6  # index of that
REACH_PX = 8.0
PIXEL_M = 0.004  # what a pixel of the sharp picture measures on the table, about


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


def sharper(pixel: Array) -> Array:
    """Return where pixels of the first picture lie in the sharp one."""
    return (pixel + 0.5) * SHARP - 0.5


def blunter(pixel: Array) -> Array:
    """Inverse of `sharper`."""
    return (pixel + 0.5) / SHARP - 0.5


def reduced(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a picture with `side` rows and columns."""
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def patch(picture: NDArray[np.uint8], centre: NDArray[np.integer], side: int) -> NDArray[np.uint8]:
    """Return (side, side, 3) of a picture around pixel `centre` (u, v), which gets row and column side / 2.

    Beyond its edge a picture goes on with what stands at the edge.
    """
    height, width = picture.shape[:2]
    along = np.arange(side) - side // 2
    rows, columns = np.clip(along + centre[1], 0, height - 1), np.clip(along + centre[0], 0, width - 1)
    return picture[rows[:, None], columns]


def spot(centre: NDArray[np.number], side: int) -> Array:
    """Return pixels (..., 2) of a picture of `side` rows and columns as numbers from -1 to 1."""
    return (np.asarray(centre) + 0.5) / side * 2 - 1


def height_m(value: Array) -> Array:
    """Return a height over the table as the network says it, m."""
    return np.clip(np.asarray(value, np.float64) / 10, 0.0, 0.5)


def doubt_m(logvar: Array) -> Array:
    """Return the standard deviation (m) of a place on the table, from the second look's logarithm of its variance."""
    return np.clip(PIXEL_M * np.exp(0.5 * np.clip(np.asarray(logvar, np.float64), -6, 6)), 0.001, 0.1)


def there(seen: NDArray[np.floating], known: NDArray[np.floating]) -> Array:
    """Return how probable (...) it is that what was asked for is there.

    Args:
        seen: (...) what the first look says of it, which is led by its colour: it counts half. known: (..., SEEN).
    """
    return np.sqrt(np.asarray(seen, np.float64)) / (1 + np.exp(-known[..., MEANT].astype(np.float64)))


def place(scores: NDArray[np.floating]) -> tuple[Array, Array]:
    """Return cells (..., 2) (u, v) of the best place and the probability (...) that there is one.

    Args:
        scores: (..., places + 1): a square grid, row by row, and the score of "nowhere".
    """
    cells, _, seen = places(scores, 1)
    return cells[0], seen


def places(scores: NDArray[np.floating], count: int) -> tuple[Array, Array, Array]:
    """Return cells (count, ..., 2) of the best places, best first, the share (count, ...) of each, and the probability (...)
    that there is one.

    Args:
        scores: as for `place`.
    """
    side = round((scores.shape[-1] - 1) ** 0.5)
    share = np.exp(scores - scores.max(-1, keepdims=True)).astype(np.float64)
    share /= share.sum(-1, keepdims=True)
    grid, seen = share[..., :-1].copy(), 1.0 - share[..., -1]
    rows, columns = np.divmod(np.arange(side * side), side)
    cells, shares = [], []
    for _ in range(count):
        best = grid.argmax(-1)
        off = np.maximum(np.abs(rows - (best // side)[..., None]), np.abs(columns - (best % side)[..., None]))
        weight = np.where(off <= WINDOW, grid, 0.0)
        shares.append(weight.sum(-1))
        weight /= np.maximum(shares[-1][..., None], 1e-30)
        cells.append(np.stack([(weight * columns).sum(-1), (weight * rows).sum(-1)], -1))
        grid[off <= APART] = 0.0
    return np.stack(cells), np.stack(shares), seen
