"""Smooths the rows of a chunk, which are a little noisy, and joins them to the committed points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vla_ros.arrays import Array

STIFFNESS = 3.0  # weight of the squared third differences against the squared distance from the rows


@lru_cache(maxsize=128)
def _matrices(count: int, stride: int, fixed: int, stiffness: float) -> tuple[Array, Array]:
    """Return the matrices (free, rows) and (free, fixed) that give the free points from the rows and the fixed points."""
    points = (count - 1) * stride + 1
    pick = np.zeros((count, points))
    pick[np.arange(count), np.arange(count) * stride] = 1.0
    third = np.diff(np.eye(points), 3, axis=0)
    normal = pick.T @ pick + stiffness * stride**5 * third.T @ third
    free = slice(fixed, points)
    solve = np.linalg.inv(normal[free, free])
    return solve @ pick.T[free], -solve @ normal[free, :fixed]


def smooth(rows: Array, stride: int, fixed: Array, stiffness: float = STIFFNESS) -> Array:
    """Return ((count - 1) * stride + 1, n) points near `rows`, with small third differences, that begin with `fixed`.

    Args:
        rows: (count, n), `stride` points apart.
        stride: points from one row to the next.
        fixed: (m, n) first points, taken over unchanged; m >= 1.
        stiffness: weight of the squared third differences.

    Source: E. T. Whittaker, "On a new method of graduation", Proc. Edinburgh Math. Soc. 41 (1923), with fixed points.
    """
    from_rows, from_fixed = _matrices(len(rows), stride, len(fixed), stiffness)
    points: Array = np.concatenate([fixed, from_rows @ rows + from_fixed @ fixed])
    return points
