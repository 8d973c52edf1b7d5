"""Does the arm come nearer to an obstacle than it may? One obstacle, which may have come to the arm by itself.

After it has appeared, or moved, the arm may still brake towards it. Then its floor is put: the margin, or what is left of it.
From that on no body comes nearer, each body by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.oracle.live.pair_watch import ALLOWANCE_M
from vla_ros.oracle.pair_distances import LinkPoses, PairDistances
from vla_ros.oracle.robot import JudgedBody

NOISE_M = 2e-3
"""An obstacle that moves by less than this from message to message stands, but for the noise of its sensor."""


class ObstacleWatch:
    """One obstacle in the rows sent and measured.

    pairs: of each moving body with it.

    Args: tolerances_m: (N,) how much nearer than the floor a row may be.
    """

    def __init__(self, tolerances_m: Array) -> None:
        self.pairs = PairDistances([])
        self._tolerances = tolerances_m + ALLOWANCE_M
        self._body: JudgedBody | None = None
        self._brakes_until_ns = 0
        self._floors: Array | None = None

    def put(
        self, body: JudgedBody, pairs_of: Callable[[Sequence[JudgedBody]], PairDistances], brakes_until_ns: int
    ) -> None:
        """The obstacle is here now; if it moved more than noise does, the arm may brake towards it until then."""
        moved_m = math.inf if self._body is None else _moved_m(self._body, body)
        if moved_m == 0.0:
            return
        self._body, self.pairs = body, pairs_of([body])
        if moved_m > NOISE_M:
            self._floors, self._brakes_until_ns = None, brakes_until_ns
        elif self._floors is not None:
            self._floors -= moved_m

    def look(self, poses: LinkPoses, now_ns: int) -> tuple[int, int, float] | None:
        """Return the body's pair, the row and the distance, m, of one that came nearer than its floor."""
        placed = self.pairs.place(poses)
        distances = self.pairs.lower_bounds(placed)
        margins = self.pairs.margins[:, None]
        for pair, row in np.argwhere(distances < margins).tolist():
            distances[pair, row] = self.pairs.distance(pair, placed, np.array([row]))[0]
        kept = np.minimum(margins, distances)
        if now_ns < self._brakes_until_ns:
            return None
        if self._floors is not None:
            spare = distances - self._floors + self._tolerances
            if spare.min() < 0.0:
                pair, row = divmod(int(spare.argmin()), spare.shape[1])
                return pair, row, float(distances[pair, row])
            # The measured rows are noisy: their floors stay where they were put.
            kept = np.where(self._tolerances > ALLOWANCE_M, self._floors, np.maximum(self._floors, kept))
        self._floors = kept
        return None


def _moved_m(before: JudgedBody, after: JudgedBody) -> float:
    """Bound on how far any point has moved, m; infinite where it is another shape."""
    if before.radius != after.radius or not np.array_equal(before.half, after.half):
        return math.inf
    change = after.T_link_body - before.T_link_body
    turned = after.bounding_radius * float(np.linalg.norm(change[:3, :3]))
    return float(np.linalg.norm(change[:3, 3])) + turned
