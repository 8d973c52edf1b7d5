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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.safety.joint.joint_limits import NANO

Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

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


@dataclass(slots=True)
class DistanceState:
    """All that a tick changes of the distances that are kept.

    distance: (m,) lower bound of each pair's distance since the last refresh, m. in_use: (m,) whether the pair is about
    something. travelled, allowance: (n,) of each joint since the refresh, and how far it may go until the next one,
    nanoradian or nanometre. active: (k,) indices of the active pairs. active_distance: (k,) lower bounds of their distances
    at the present output, m. current: (k,) whether these were computed at the present output. may_hold: whether one of
    them may hold the arm back; else they only slow it down. slides: one has held it back, and it is near it still.
    queries: distances computed in this tick.
    """

    distance: Array
    in_use: Flags
    travelled: list[int]
    allowance: list[int]
    active: Indices
    active_distance: Array
    current: Flags
    may_hold: bool = False
    slides: bool = False
    queries: int = 0


class ActivePairs(NamedTuple):
    """What is known beforehand of the active pairs.

    lever_arms: (n, k) m per rad or m. margin: (k,) m. inverse_slow, no_slow_zone: (k,) 1 / slow and 0, or 0 and 1 where the
    pair slows nothing.
    """

    lever_arms: Array
    margin: Array
    inverse_slow: Array
    no_slow_zone: Array


class ActiveSet:
    """The pairs of one arm, and which of them are active.

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
        self._budget = [BUDGET_STEPS * acceleration for acceleration in accelerations]
        self._of: Indices | None = (
            None  # whose pairs `_pairs` are: the same array as in the state, so they are looked up once
        )
        self._pairs = ActivePairs(*(np.empty(0),) * 4)

    def initial(self) -> DistanceState:
        """Return the state in which nothing has been computed yet."""
        pairs, joints = len(self.margins), len(self._budget)
        return DistanceState(
            distance=np.full(pairs, UNKNOWN),
            in_use=np.ones(pairs, bool),
            travelled=[0] * joints,
            allowance=[-1] * joints,
            active=np.empty(0, np.intp),
            active_distance=np.empty(0),
            current=np.empty(0, bool),
        )

    def pairs(self, state: DistanceState) -> ActivePairs:
        """Return what is known beforehand of the active pairs."""
        active = state.active
        if active is not self._of:
            self._of = active
            self._pairs = ActivePairs(
                self._lever_arms[:, active],
                self.margins[active],
                self._inverse_slow[active],
                self._no_slow_zone[active],
            )
        return self._pairs

    def covers(self, state: DistanceState, path_lengths: Sequence[int]) -> bool:
        """Return whether no other pairs matter while the joints travel `path_lengths`, nanoradian or nanometre, more."""
        for travelled, length, allowance in zip(state.travelled, path_lengths, state.allowance, strict=True):
            if travelled + length > allowance:
                return False
        return True

    def refresh(self, state: DistanceState, path_lengths: Sequence[int]) -> None:
        """Choose the active pairs anew.

        Args:
            state: of the distances.
            path_lengths: (n,) of each joint to rest, nanoradian or nanometre.
        """
        current = state.active[state.current]
        state.distance = self.distance_bounds(state)
        state.travelled = [0] * len(path_lengths)
        state.allowance = [length * 3 // 2 + budget for length, budget in zip(path_lengths, self._budget, strict=True)]
        shrinks = approach_bound(self._lever_arms, state.allowance)
        _activate(state, np.flatnonzero(state.distance < self._threshold + shrinks))
        state.current[:] = np.isin(state.active, current, assume_unique=True)
        state.may_hold = bool((state.distance < self.margins + shrinks).any())

    def distance_bounds(self, state: DistanceState) -> Array:
        """Return the lower bound of each pair's distance at the present output, (m,) m."""
        distance: Array = state.distance - approach_bound(self._lever_arms, state.travelled)
        distance[state.active] = state.active_distance
        return distance

    def approach(self, path_lengths: Sequence[int]) -> Array:
        """Return how far the shapes of each pair move towards each other at most, (m,) m, while the joints travel so far."""
        return approach_bound(self._lever_arms, path_lengths)

    def set_distances(self, state: DistanceState, pairs: Indices, distance_m: Array) -> None:
        """Give the distances of pairs at the present output, m."""
        self._rebase(state)
        state.distance[pairs] = distance_m

    def shapes_replaced(self, state: DistanceState, first: int, count: int, in_use: bool) -> None:
        """Forget the distances of pairs first .. first + count - 1: they have another shape now, or are not in use."""
        self._rebase(state)
        state.in_use[first : first + count] = in_use
        state.distance[first : first + count] = UNKNOWN if in_use else FAR

    def shapes_moved(self, state: DistanceState, first: int, count: int, distance_m: float) -> None:
        """Lower the distances of pairs first .. first + count - 1, whose shape has moved by at most `distance_m`."""
        self._rebase(state)
        state.distance[first : first + count] -= distance_m

    def arm_moved(self, state: DistanceState, steps: Sequence[int]) -> None:
        """Lower the bounds: the output has moved by `steps`, nanoradian or nanometre per joint."""
        lengths = [abs(step) for step in steps]
        state.travelled = [travelled + length for travelled, length in zip(state.travelled, lengths, strict=True)]
        if len(state.active):
            state.active_distance -= approach_bound(self.pairs(state).lever_arms, lengths)

    def _rebase(self, state: DistanceState) -> None:
        """Make all bounds those at the present output; no pair is active before the next refresh."""
        if state.allowance[0] < 0 and not any(state.travelled):
            return
        state.distance = self.distance_bounds(state)
        state.travelled = [0] * len(state.travelled)
        state.allowance = [-1] * len(state.travelled)
        _activate(state, np.empty(0, np.intp))


def _activate(state: DistanceState, pairs: Indices) -> None:
    state.active = pairs
    state.active_distance = state.distance[pairs]
    state.current = np.zeros(len(pairs), bool)


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
