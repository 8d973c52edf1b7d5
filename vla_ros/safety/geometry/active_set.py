"""Which distances may matter soon: a lower bound of each, and the few rows that have to be looked at in every tick.

Between two points of the arm's motion a row's distance shrinks by at most its `reach` times what the joints have covered
(`arm_model`). A survey looks at all rows and sets each joint an allowance; near are those whose bound could fall to where the
row slows the arm down or holds it back before the allowance is used up:

    distance - reach.allowance < margin + slow

For the others nothing has to be computed, not even their bound, as long as what has been covered since the survey and the
way to rest together stay within the allowance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.safety.joint.joint_limits import NANO

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Snapshot = tuple[list[float], list[bool], list[int], list[float], bool, list[int], list[int]]

FAR, UNKNOWN = np.inf, -1e6
"""Distances of a row that is about nothing, and of one that has not been computed yet, m."""
ROOM = 50
"""An allowance is one and a half times the way to rest, and so many steps of the acceleration limit."""


@dataclass(frozen=True)
class Row:
    """One distance to be kept.

    rule: name of the rule. what: whose distance it is, for people. pair: index in the arm model. reach: (n,), see
    `ArmModel.reach`. margin_m: to be kept. slow_m: the speed falls from this distance beyond the margin on.
    """

    rule: str
    what: str
    pair: int
    reach: Sequence[float]
    margin_m: float
    slow_m: float


class Neighbours:
    """The rows of one arm.

    rows: (k,) indices of the near rows. Of these: reach (n, k); margin, distance (k,), m; fresh (k,): whether the distance
    has been computed at the present output; per_slow, calm (k,): 1 / slow and 0, or 0 and 1 where the row slows nothing.
    hold: whether one of them may hold the arm back; else they only slow it down. margins: of all rows.

    Args:
        rows: all of them.
        extra_m: kept on top of each margin.
        accelerations: limits of the joints, per tick squared.
    """

    def __init__(self, rows: Sequence[Row], extra_m: float, accelerations: Sequence[int]) -> None:
        self._reach = np.array([row.reach for row in rows]).reshape(len(rows), len(accelerations)).T.copy()
        self.margins = np.array([row.margin_m + extra_m for row in rows])
        slow = np.array([row.slow_m for row in rows])
        self._threshold = self.margins + slow
        slows = slow > 1e-9  # m; a narrower zone slows nothing, and its reciprocal may overflow
        self._calm = np.where(slows, 0.0, 1.0)
        self._per_slow = np.divide(1.0, slow, out=np.zeros(len(rows)), where=slows)
        self._watched = np.ones(len(rows), bool)
        self._distance = np.full(len(rows), UNKNOWN)
        self._room = [ROOM * acceleration for acceleration in accelerations]
        self._covered = [0] * len(accelerations)
        self._allowance = [-1] * len(accelerations)
        self.hold = False
        self._take(np.empty(0, np.intp))

    def snapshot(self) -> Snapshot:
        """What changes from tick to tick."""
        near = self.rows.tolist(), self.distance.tolist(), self.hold
        return self._distance.tolist(), self._watched.tolist(), *near, list(self._covered), list(self._allowance)

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot."""
        distance, watched, rows, near, hold, covered, allowance = snapshot
        self._distance[:], self._watched[:] = distance, watched
        self._take(np.array(rows, np.intp))
        self.distance[:], self.hold = near, hold
        self._covered, self._allowance = list(covered), list(allowance)

    def suffice(self, ways: Sequence[int]) -> bool:
        """Whether the near rows are all that matter while the joints cover `ways`, nanoradian or nanometre, more."""
        for covered, way, allowance in zip(self._covered, ways, self._allowance, strict=True):
            if covered + way > allowance:
                return False
        return True

    def survey(self, ways: Sequence[int]) -> None:
        """Choose the near rows anew; `ways`: of each joint to rest."""
        fresh = self.rows[self.fresh]
        self._distance = self.bounds()
        self._covered = [0] * len(ways)
        self._allowance = [way * 3 // 2 + room for way, room in zip(ways, self._room, strict=True)]
        shrinks = bound(self._reach, self._allowance)
        self._take(np.flatnonzero(self._distance < self._threshold + shrinks))
        self.fresh[:] = np.isin(self.rows, fresh, assume_unique=True)
        self.hold = bool((self._distance < self.margins + shrinks).any())

    def bounds(self) -> Array:
        """The lower bound of each row's distance at the present output, m."""
        distance: Array = self._distance - bound(self._reach, self._covered)
        distance[self.rows] = self.distance
        return distance

    def watched(self) -> Indices:
        """The rows that are about something."""
        return np.flatnonzero(self._watched)

    def known(self, rows: Indices, distance_m: Array) -> None:
        """Give the distances of rows at the present output."""
        self._settle()
        self._distance[rows] = distance_m

    def forget(self, first: int, count: int, watched: bool) -> None:
        """Rows first .. first + count - 1 are about another shape now; `watched`: or about none."""
        self._settle()
        self._watched[first : first + count] = watched
        self._distance[first : first + count] = UNKNOWN if watched else FAR

    def shifted(self, first: int, count: int, distance_m: float) -> None:
        """The shape of rows first .. first + count - 1 has moved by at most `distance_m`."""
        self._settle()
        self._distance[first : first + count] -= distance_m

    def moved(self, steps: Sequence[int]) -> None:
        """The output has moved by `steps`, nanoradian or nanometre per joint."""
        ways = [abs(step) for step in steps]
        self._covered = [covered + way for covered, way in zip(self._covered, ways, strict=True)]
        if len(self.rows):
            self.distance -= bound(self.reach, ways)

    def _settle(self) -> None:
        """All bounds are those at the present output, and no row is near before the next survey."""
        if self._allowance[0] < 0 and not any(self._covered):
            return
        self._distance = self.bounds()
        self._covered = [0] * len(self._covered)
        self._allowance = [-1] * len(self._covered)
        self._take(np.empty(0, np.intp))

    def _take(self, rows: Indices) -> None:
        self.rows = rows
        self.reach = self._reach[:, rows]
        self.margin, self.distance = self.margins[rows], self._distance[rows]
        self.per_slow, self.calm = self._per_slow[rows], self._calm[rows]
        self.fresh = np.zeros(len(rows), bool)


def bound(reach: Array, covered: Sequence[int]) -> Array:
    """How far the shapes of each row move against each other at most, m, when the joints cover `covered`.

    Added up joint by joint, not by a dot product, whose order of additions differs between processors.
    """
    ways = np.array([x / NANO for x in covered])
    total: Array = np.add.reduce(reach * ways[:, None], axis=0)
    return total
