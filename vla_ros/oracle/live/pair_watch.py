"""Does any of many pairs come within its margin? Measured again and again, with few distances computed.

Between two looks no point of a body moves further than its centre has moved, plus the turn times the radius of the ball
around it. So a distance that was computed once bounds the later ones, and is computed again where the bound does not do.
"""

from __future__ import annotations

import numpy as np

from vla_ros.arrays import Array
from vla_ros.oracle.pair_distances import LinkPoses, PairDistances

ALLOWANCE_M = 1e-5
"""Rounding of distances, of the oracle and of the filter."""


class PairWatch:
    """Some pairs, looked at in the same rows again and again. pairs: what they are.

    Args:
        pairs: that are watched.
        tolerances_m: (N,) how much less than its margin a pair may keep, per row.
    """

    def __init__(self, pairs: PairDistances, tolerances_m: Array) -> None:
        self.pairs = pairs
        self._kept = pairs.margins[:, None] - tolerances_m - ALLOWANCE_M
        self._placed: tuple[Array, Array] | None = None
        self._bounds = np.empty((0, 0))  # lower bounds of the distances when they were computed, less all travel since
        self._balls = np.array([body.bounding_radius for body in pairs.bodies])[:, None]

    def look(self, poses: LinkPoses) -> tuple[int, int, float] | None:
        """Return the pair, row and distance, m, of one that is within its margin.

        Args: poses: of the links, in N rows.
        """
        placed = self.pairs.place(poses)
        bounds = self.pairs.lower_bounds(placed)
        if self._placed is not None:
            R, p = (new - old for new, old in zip(placed, self._placed, strict=True))
            travel = np.linalg.norm(p, axis=-1) + self._balls * np.sqrt((R * R).sum(axis=(-1, -2)))
            known = (
                self._bounds
                - travel[self.pairs.first]
                - np.where(self.pairs.second[:, None] < 0, 0.0, travel[self.pairs.second])
            )
            bounds = np.maximum(bounds, known)
        self._placed, self._bounds = placed, bounds
        for pair, row in np.argwhere(bounds < self._kept).tolist():
            bounds[pair, row] = self.pairs.distance(pair, placed, np.array([row]))[0]
            if bounds[pair, row] < self._kept[pair, row]:
                return pair, row, float(bounds[pair, row])
        return None
