"""From scores of positions in an image to points in the base frame.

The localizer scores a grid of cells on an image. The refiner is given crops of the same image at UPSCALE times the
resolution. Pixels are (u, v), with pixel centres at whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array

CELL_PX = 2  # rows and columns of pixels of a cell
PEAK_CELLS = 2  # cells on each side of the best one whose scores count for its position
SEPARATION_CELLS = 3  # two peaks are farther apart than this
MAX_PEAKS = 4  # candidates for an object that is named without a colour; the refiner decides between
MIN_PEAK_SHARE = 0.03  # those whose probability is so much of the best one's
UPSCALE = 2  # resolution of the refiner's image, in that of the localizer's
# Output of the refiner: offset u, v from the centre of the crop (in OFFSET_PX pixels of the refiner's image), height over
# the table (dm), cosine and sine of four times the yaw, log of the variance of the position (pixels^2), logit that the crop
# shows the object that is asked for.
REFINED_DIM = 7
MATCH = 6  # index of that logit
OFFSET_PX = 8.0
PIXEL_M = 0.004  # size of a pixel of the refiner's image on the table, about


@dataclass(frozen=True)
class Pinhole:
    """A pinhole camera.

    Attributes:
        k: (3, 3) matrix, pixel centres at whole numbers.
        T_base_camera: (4, 4) pose of the optical frame.
    """

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
        """Return (..., 3) points in the base frame that pixels (..., 2) show, at z = height (...), m."""
        pixel = np.asarray(pixel)
        ones = np.ones_like(pixel[..., :1])
        rays = np.concatenate([pixel, ones], -1) @ np.linalg.inv(self.k).T @ self.T_base_camera[:3, :3].T
        origin = self.T_base_camera[:3, 3]
        # A ray at or above the horizon never meets the table: the point is then far away, and no tracker accepts it.
        down = np.minimum(rays[..., 2], -1e-3)
        point: Array = origin + rays * ((height - origin[2]) / down)[..., None]
        return point


def scaled_intrinsics(k: Array, height: int, width: int, size: int) -> Array:
    """Return the pinhole matrix (3, 3) after an image of `height` rows and `width` columns was resized to size x size."""
    scale = np.array([[size / width, 0.0, 0.0], [0.0, size / height, 0.0], [0.0, 0.0, 1.0]])
    half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    result: Array = np.linalg.inv(half) @ scale @ half @ k
    return result


def to_cells(pixel: Array) -> Array:
    """Return positions (..., 2) on the grid, with cell centres at whole numbers, of pixels (..., 2)."""
    return (pixel + 0.5) / CELL_PX - 0.5


def to_pixels(cells: Array) -> Array:
    """Inverse of `to_cells`."""
    return (cells + 0.5) * CELL_PX - 0.5


def upscale(pixel: Array) -> Array:
    """Return pixels (..., 2) of the localizer's image as pixels of the refiner's image."""
    return (pixel + 0.5) * UPSCALE - 0.5


def downscale(pixel: Array) -> Array:
    """Inverse of `upscale`."""
    return (pixel + 0.5) / UPSCALE - 0.5


def resized(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) resized to `side` rows and columns."""
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def crop(image: NDArray[np.uint8], centre: NDArray[np.integer], side: int) -> NDArray[np.uint8]:
    """Return (side, side, 3) of an image around the pixel `centre` (u, v), which gets row and column side / 2.

    Beyond the edge of the image its outermost pixels are repeated.
    """
    height, width = image.shape[:2]
    along = np.arange(side) - side // 2
    rows, columns = np.clip(along + centre[1], 0, height - 1), np.clip(along + centre[0], 0, width - 1)
    return image[rows[:, None], columns]


def normalized(centre: NDArray[np.number], side: int) -> Array:
    """Return pixels (..., 2) of an image of `side` rows and columns as numbers from -1 to 1."""
    return (np.asarray(centre) + 0.5) / side * 2 - 1


def height_m(value: Array) -> Array:
    """Return a predicted height over the table (dm) in m."""
    return np.clip(np.asarray(value, np.float64) / 10, 0.0, 0.5)


def position_std_m(logvar: Array) -> Array:
    """Return the standard deviation (m) of a position on the table, from the refiner's log variance (pixels^2)."""
    return np.clip(PIXEL_M * np.exp(0.5 * np.clip(np.asarray(logvar, np.float64), -6, 6)), 0.001, 0.1)


def presence_probability(located: NDArray[np.floating], refined: NDArray[np.floating]) -> Array:
    """Return the probability (...) that the object that is asked for is in view.

    Args:
        located: (...) probability according to the localizer, which mostly sees the colour: its square root counts.
        refined: (..., REFINED_DIM) output of the refiner.
    """
    return np.sqrt(np.asarray(located, np.float64)) / (1 + np.exp(-refined[..., MATCH].astype(np.float64)))


def peak(scores: NDArray[np.floating]) -> tuple[Array, Array]:
    """Return the best position in cells (..., 2), (u, v), and the probability (...) that the object is in the image.

    Args:
        scores: (..., cells + 1): a square grid, row by row, and the score of "nowhere".
    """
    cells, _, located = peaks(scores, 1)
    return cells[0], located


def peaks(scores: NDArray[np.floating], count: int) -> tuple[Array, Array, Array]:
    """Return the best positions in an image.

    Args:
        scores: as for `peak`.
        count: number of positions.

    Returns:
        cells: (count, ..., 2) positions, best first.
        shares: (count, ...) probability of each.
        located: (...) probability that the object is in the image.
    """
    side = round((scores.shape[-1] - 1) ** 0.5)
    share = np.exp(scores - scores.max(-1, keepdims=True)).astype(np.float64)
    share /= share.sum(-1, keepdims=True)
    grid, located = share[..., :-1].copy(), 1.0 - share[..., -1]
    rows, columns = np.divmod(np.arange(side * side), side)
    cells, shares = [], []
    for _ in range(count):
        best = grid.argmax(-1)
        off = np.maximum(np.abs(rows - (best // side)[..., None]), np.abs(columns - (best % side)[..., None]))
        weight = np.where(off <= PEAK_CELLS, grid, 0.0)
        shares.append(weight.sum(-1))
        weight /= np.maximum(shares[-1][..., None], 1e-30)
        cells.append(np.stack([(weight * columns).sum(-1), (weight * rows).sum(-1)], -1))
        grid[off <= SEPARATION_CELLS] = 0.0
    return np.stack(cells), np.stack(shares), located
