"""Which distances may matter soon? A lower bound of each, and the few pairs that have to be looked at in every tick.

Between two points of the arm's motion the distance of a pair shrinks by at most its `lever_arm_bounds` times what the joints
have travelled (`arm_model`). A refresh looks at all pairs and sets each joint an allowance. Active are those whose bound
could fall to where the pair slows the arm down or holds it back before the allowance is used up:

    distance - lever_arm_bounds . allowance < margin + slow

For the others nothing has to be computed, not even their bound, as long as what has been travelled since the refresh and
the path to rest together stay within the allowance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.safety.joint.joint_limits import NANO

Indices = NDArray[np.intp]
Snapshot = tuple[list[float], list[bool], list[int], list[float], bool, list[int], list[int]]

FAR, UNKNOWN = np.inf, -1e6
"""Distances of a pair that is not in use, and of one that has not been computed yet, m."""
BUDGET_STEPS = 50
"""An allowance is one and a half times the path to rest, and so many steps of the acceleration limit."""


@dataclass(frozen=True)
class DistancePair:
    """Two shapes between which a distance is kept.

    rule: name of the rule. description: whose distance it is, for people. index: of the pair in the arm model.
    lever_arm_bounds: (n,) m per rad or m, see `ArmModel.lever_arm_bounds`. margin_m: distance to be kept. slow_m: the speed
    falls from this distance beyond the margin on.
    """

    rule: str
    description: str
    index: int
    lever_arm_bounds: Sequence[float]
    margin_m: float
    slow_m: float


class ActiveSet:
    """The pairs of one arm, and which of them are active.

    active: (k,) indices of the active pairs. Of these: lever_arms (n, k), m per rad or m; margin, distance (k,), m; current
    (k,): whether the distance has been computed at the present output; inverse_slow, no_slow_zone (k,): 1 / slow and 0, or 0
    and 1 where the pair slows nothing. may_hold: whether one of them may hold the arm back; else they only slow it down.
    margins: of all pairs, m.

    Args:
        pairs: all of them.
        extra_m: kept on top of each margin.
        accelerations: limits of the joints, per tick squared.
    """

    def __init__(self, pairs: Sequence[DistancePair], extra_m: float, accelerations: Sequence[int]) -> None:
        lever_arms = np.array([pair.lever_arm_bounds for pair in pairs])
        self._lever_arms = lever_arms.reshape(len(pairs), len(accelerations)).T.copy()
        self.margins = np.array([pair.margin_m + extra_m for pair in pairs])
        slow = np.array([pair.slow_m for pair in pairs])
        self._threshold = self.margins + slow
        slows = slow > 1e-9  # m; a narrower zone slows nothing, and its reciprocal may overflow
        self._no_slow_zone = np.where(slows, 0.0, 1.0)
        self._inverse_slow = np.divide(1.0, slow, out=np.zeros(len(pairs)), where=slows)
        self._in_use = np.ones(len(pairs), bool)
        self._distance = np.full(len(pairs), UNKNOWN)
        self._budget = [BUDGET_STEPS * acceleration for acceleration in accelerations]
        self._travelled = [0] * len(accelerations)
        self._allowance = [-1] * len(accelerations)
        self.may_hold = False
        self._activate(np.empty(0, np.intp))

    def snapshot(self) -> Snapshot:
        """Return what changes from tick to tick."""
        active = self.active.tolist(), self.distance.tolist(), self.may_hold
        return self._distance.tolist(), self._in_use.tolist(), *active, list(self._travelled), list(self._allowance)

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot."""
        distance, in_use, active, active_distance, may_hold, travelled, allowance = snapshot
        self._distance[:], self._in_use[:] = distance, in_use
        self._activate(np.array(active, np.intp))
        self.distance[:], self.may_hold = active_distance, may_hold
        self._travelled, self._allowance = list(travelled), list(allowance)

    def covers(self, path_lengths: Sequence[int]) -> bool:
        """Return whether no other pairs matter while the joints travel `path_lengths`, nanoradian or nanometre, more."""
        for travelled, length, allowance in zip(self._travelled, path_lengths, self._allowance, strict=True):
            if travelled + length > allowance:
                return False
        return True

    def refresh(self, path_lengths: Sequence[int]) -> None:
        """Choose the active pairs anew.

        Args:
            path_lengths: (n,) of each joint to rest, nanoradian or nanometre.
        """
        current = self.active[self.current]
        self._distance = self.distance_bounds()
        self._travelled = [0] * len(path_lengths)
        self._allowance = [length * 3 // 2 + budget for length, budget in zip(path_lengths, self._budget, strict=True)]
        shrinks = approach_bound(self._lever_arms, self._allowance)
        self._activate(np.flatnonzero(self._distance < self._threshold + shrinks))
        self.current[:] = np.isin(self.active, current, assume_unique=True)
        self.may_hold = bool((self._distance < self.margins + shrinks).any())

    def distance_bounds(self) -> Array:
        """Return the lower bound of each pair's distance at the present output, m."""
        distance: Array = self._distance - approach_bound(self._lever_arms, self._travelled)
        distance[self.active] = self.distance
        return distance

    def in_use(self) -> Indices:
        """Return the indices of the pairs that are in use."""
        return np.flatnonzero(self._in_use)

    def set_distances(self, pairs: Indices, distance_m: Array) -> None:
        """Take over the distances of pairs at the present output."""
        self._rebase()
        self._distance[pairs] = distance_m

    def shapes_replaced(self, first: int, count: int, in_use: bool) -> None:
        """Forget the distances of pairs first .. first + count - 1: they have another shape now, or are not in use."""
        self._rebase()
        self._in_use[first : first + count] = in_use
        self._distance[first : first + count] = UNKNOWN if in_use else FAR

    def shapes_moved(self, first: int, count: int, distance_m: float) -> None:
        """Lower the distances of pairs first .. first + count - 1, whose shape has moved by at most `distance_m`."""
        self._rebase()
        self._distance[first : first + count] -= distance_m

    def arm_moved(self, steps: Sequence[int]) -> None:
        """Lower the bounds: the output has moved by `steps`, nanoradian or nanometre per joint."""
        lengths = [abs(step) for step in steps]
        self._travelled = [travelled + length for travelled, length in zip(self._travelled, lengths, strict=True)]
        if len(self.active):
            self.distance -= approach_bound(self.lever_arms, lengths)

    def _rebase(self) -> None:
        """Make all bounds those at the present output; no pair is active before the next refresh."""
        if self._allowance[0] < 0 and not any(self._travelled):
            return
        self._distance = self.distance_bounds()
        self._travelled = [0] * len(self._travelled)
        self._allowance = [-1] * len(self._travelled)
        self._activate(np.empty(0, np.intp))

    def _activate(self, pairs: Indices) -> None:
        self.active = pairs
        self.lever_arms = self._lever_arms[:, pairs]
        self.margin, self.distance = self.margins[pairs], self._distance[pairs]
        self.inverse_slow, self.no_slow_zone = self._inverse_slow[pairs], self._no_slow_zone[pairs]
        self.current = np.zeros(len(pairs), bool)


def approach_bound(lever_arms: Array, path_lengths: Sequence[int]) -> Array:
    """Return how far the shapes of each pair move towards each other at most.

    Added up joint by joint, not by a dot product, whose order of additions differs between processors.

    Args:
        lever_arms: (n, k) m per rad or m.
        path_lengths: (n,) travelled by each joint, nanoradian or nanometre.

    Returns:
        (k,) m.
    """
    lengths = np.array([x / NANO for x in path_lengths])
    total: Array = np.add.reduce(lever_arms * lengths[:, None], axis=0)
    return total
