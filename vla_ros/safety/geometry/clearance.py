"""Are all distances kept, now and on the whole path to rest? And how few of them have to be computed for that?

A pair is two shapes with a margin: a body of the arm and a side of the fence, the table, a keep-out box, an obstacle, or
another body. For every pair a lower bound d of its distance at the present output is kept. With w the pair's
`lever_arm_bounds` (`arm_model`) and s the distance that each joint still travels until rest, nothing between now and rest is
nearer than d - w.s; a pair with d - w.s >= margin needs no look. Where that fails the distance is computed, and where that
does not help either, it is computed at samples of the stop path:

    Between two samples with distances d1, d2 and b = w.(distance travelled between them): a point of the path has travelled
    at most b / 2 since the first or until the second, so its distance is at least min(d1, d2) - b / 2.

So a part of the path is clear when d1 and d2 are at least margin + b / 2. Samples keep SAMPLE_MARGIN_M more than the margin,
so that the arm can also leave a place as near as that, where the first step away has some b, too.

Guarantee: a candidate without `violation` has distance >= margin in every pair, at every moment until the stop policy is at
rest, for shapes that stay where they are. By induction so has every output, since the stop policy's action is always left.
Pairs that are nearer than that because a shape came to the arm do not get nearer by the arm's motion: the least of their
distances grows from tick to tick until rest, or the candidate is a violation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.safety.geometry.active_set import ActiveSet, DistancePair, Indices, Snapshot, approach_bound
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.joint.stop_path import StopPath

TOLERANCE_M = 2e-6
"""coal's iterative distances are exact to 1e-6 m."""
SAMPLE_MARGIN_M = 1e-3
"""Kept by samples on top of the margin."""
MAX_QUERIES = 300
"""Distances computed in one tick. A candidate that they do not prove clear is a violation; a slower one needs fewer."""
MIN_SPEED_PERMILLE = 50
"""Thousandths of the speed limit that are left at the margin: the arm comes to the margin, and to nothing beyond it."""


def pairs_with(
    arm: ArmModel, shape: int, rule: str, description: str, margin_m: float, slow_m: float
) -> Iterator[DistancePair]:
    """Yield the pair of each moving body with one shape in the base frame."""
    for i in arm.moving_bodies():
        body = arm.bodies[i]
        index, lever_arm_bounds = arm.add_pair(body.index, shape), arm.lever_arm_bounds(i)
        yield DistancePair(rule, f"{body.link} and {description}", index, lever_arm_bounds, margin_m, slow_m)


@dataclass(frozen=True)
class NearestPair:
    """The pair nearest to its margin: the pair, its distance in m, and the nearest points (3,) in base, m."""

    pair: DistancePair
    distance_m: float
    points: tuple[Array, Array]


class Clearance:
    """All distances of one arm. active_set: of its pairs.

    Args:
        arm: with all shapes and pairs added.
        pairs: to be kept from the start; those of obstacles begin far away.
        joints: whose motion is checked.
    """

    def __init__(self, arm: ArmModel, pairs: Sequence[DistancePair], joints: Sequence[JointMotion]) -> None:
        self._arm = arm
        self._pairs = list(pairs)
        self._joints = joints
        accelerations = [joint.limits.acceleration for joint in joints]
        self.active_set = ActiveSet(pairs, TOLERANCE_M + SAMPLE_MARGIN_M, accelerations)
        self._placed = False
        self._queries = 0

    def snapshot(self) -> Snapshot:
        """Return what changes from tick to tick."""
        return self.active_set.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot."""
        self.active_set.restore(snapshot)

    def start_tick(self) -> None:
        """Begin a tick: what was computed before was so for another output, and is from now on a bound."""
        self._placed = False
        self._queries = 0
        active_set = self.active_set
        active_set.current[:] = False
        if not active_set.covers([0] * len(self._joints)):
            active_set.refresh([joint.stop_path_length() for joint in self._joints])

    def restart(self) -> tuple[DistancePair, float] | None:
        """Begin where the output has been placed. Return the pair furthest below its margin, and its distance, if one is."""
        self._placed = False
        in_use = self.active_set.in_use()
        self._arm.place([joint.q / NANO for joint in self._joints])
        found = np.array([self._arm.distance(self._pairs[i].index) for i in in_use])
        self.active_set.set_distances(in_use, found)
        spare = found - self.active_set.margins[in_use]
        if (spare >= 0.0).all():
            return None
        k = int(spare.argmin())
        return self._pairs[in_use[k]], float(found[k])

    def speed_permille(self) -> tuple[int, DistancePair | None]:
        """Return the thousandths of the speed limits that the nearest pair leaves, and that pair; (1000, None): all."""
        near = self.active_set
        if not len(near.active):
            return 1000, None
        shares = (near.distance - near.margin) * near.inverse_slow + near.no_slow_zone
        while True:
            k = int(shares.argmin())
            if shares[k] >= 1.0:
                return 1000, None
            if near.current[k]:
                return max(MIN_SPEED_PERMILLE, int(shares[k] * 1000)), self._pairs[near.active[k]]
            if not self._within_budget(1):
                return MIN_SPEED_PERMILLE, self._pairs[near.active[k]]
            self._update_distances(np.array([k]))
            shares[k] = (near.distance[k] - near.margin[k]) * near.inverse_slow[k]

    def violation(self, before: Sequence[tuple[int, int, int]]) -> tuple[DistancePair, float] | None:
        """Return the pair that a candidate would bring below its margin, and the distance found, m; None: it is clear.

        Args:
            before: (q, v, a) of the joints as the last output left them; the joints themselves are the candidate.
        """
        path_lengths = [joint.stop_path_length() for joint in self._joints]
        if not any(path_lengths):
            return None  # staying at rest is what remains when nothing else is allowed
        active_set = self.active_set
        if not active_set.covers(path_lengths):
            active_set.refresh(path_lengths)
        if not active_set.may_hold:
            return None
        unproven = self._unproven(path_lengths, before)
        if not len(unproven):
            return None
        step_lengths = [abs(joint.v) for joint in self._joints]
        below = active_set.distance[unproven] < active_set.margin[unproven]
        if below.any():
            return self._retreat_violation(unproven[below]) or self._path_violation(unproven[~below], step_lengths)
        return self._path_violation(unproven, step_lengths)

    def arm_moved(self, steps: Sequence[int]) -> None:
        """Lower the bounds: the output has moved by `steps`, nanoradian or nanometre per joint."""
        if any(steps):
            self.active_set.arm_moved(steps)

    def nearest(self) -> NearestPair | None:
        """Return the pair nearest to its margin at the present output. It changes nothing."""
        in_use = self.active_set.in_use()
        if not len(in_use):
            return None
        self._arm.place([joint.q / NANO for joint in self._joints])
        self._placed = False
        margins = self.active_set.margins[in_use]
        spare = self.active_set.distance_bounds()[in_use] - margins
        computed: set[int] = set()
        while True:
            k = int(spare.argmin())
            pair = self._pairs[in_use[k]]
            if k in computed or len(computed) == MAX_QUERIES:
                return NearestPair(pair, self._arm.distance(pair.index), self._arm.nearest_points(pair.index))
            spare[k] = self._arm.distance(pair.index) - margins[k]
            computed.add(k)

    def _unproven(self, path_lengths: Sequence[int], before: Sequence[tuple[int, int, int]]) -> Indices:
        """Return those of the active pairs whose distance at `before` does not prove the whole path to rest clear."""
        near = self.active_set
        needed = near.margin + approach_bound(near.lever_arms, path_lengths)
        unproven = np.flatnonzero(near.distance < needed)
        outdated = unproven[~near.current[unproven]]
        if len(outdated):
            left = MAX_QUERIES - self._queries
            if len(outdated) > left:  # those that lack most; the others wait for the next tick
                outdated = outdated[np.argsort(near.distance[outdated] - needed[outdated], kind="stable")[:left]]
            self._queries += len(outdated)
            self._update_distances(outdated, [q for q, _, _ in before])
            unproven = unproven[near.distance[unproven] < needed[unproven]]
        return unproven

    def _update_distances(self, active: Indices, q: Sequence[int] | None = None) -> None:
        """Compute the distances of active pairs at q, by default the present output's."""
        if not self._placed:
            self._arm.place([x / NANO for x in (q or [joint.q for joint in self._joints])])
            self._placed = True
        self.active_set.distance[active] = self._query(active)
        self.active_set.current[active] = True

    def _query(self, active: Indices) -> Array:
        """Compute the distances of active pairs where the arm is placed, m."""
        return np.array([self._arm.distance(self._pairs[i].index) for i in self.active_set.active[active]])

    def _retreat_violation(self, pairs: Indices) -> tuple[DistancePair, float] | None:
        """Follow the candidate's stop path tick by tick; return the pair that lacks most where the least distance shrinks."""
        self._placed = False
        paths = self._stop_paths()
        margin = self.active_set.margin[pairs]
        found = self.active_set.distance[pairs]
        end = max(path.ticks for path in paths)
        if not self._within_budget((end + 1) * len(pairs)):
            return self._worst(pairs, found)
        least = (found - margin).min()
        for tick in range(end + 1):
            self._arm.place([path.position(tick) / NANO for path in paths])
            found = self._query(pairs)
            if (found - margin).min() < least:
                return self._worst(pairs, found)
            least = (found - margin).min()
        return None

    def _stop_paths(self) -> list[StopPath]:
        return [
            StopPath(joint.q, joint.v, joint.a, joint.limits.acceleration, joint.limits.jerk) for joint in self._joints
        ]

    def _path_violation(self, pairs: Indices, step_lengths: Sequence[int]) -> tuple[DistancePair, float] | None:
        """Sample the stop path of the candidate for these pairs, whose distances at its start are known."""
        self._placed = False
        paths = self._stop_paths()
        end = 1 + max(path.ticks for path in paths)
        whole = _path_lengths(paths, step_lengths, end)
        tick, travelled, stride = 0, [0] * len(paths), end
        near = self.active_set
        distance, lever_arms, margin = near.distance[pairs], near.lever_arms[:, pairs], near.margin[pairs]
        while True:
            open_ = approach_bound(lever_arms, _difference(whole, travelled)) > distance - margin
            if not open_.any():
                return None
            if not open_.all():
                pairs, distance, lever_arms, margin = pairs[open_], distance[open_], lever_arms[:, open_], margin[open_]
            stride = min(stride, end - tick)
            while True:
                ahead = _path_lengths(paths, step_lengths, tick + stride)
                half = approach_bound(lever_arms, _difference(ahead, travelled)) / 2 - SAMPLE_MARGIN_M
                if (half <= distance - margin).all():
                    break
                if stride == 1:
                    return self._worst(pairs, distance - half)
                stride //= 2
            if not self._within_budget(len(pairs)):
                return self._worst(pairs, distance)
            self._arm.place([path.position(tick + stride - 1) / NANO for path in paths])
            found = self._query(pairs)
            if (found >= margin).all() and (found >= margin + half).all():
                tick, travelled, distance = tick + stride, ahead, found
                stride *= 2
            elif stride == 1 or (found < margin).any():
                return self._worst(pairs, found - np.maximum(half, 0.0))
            else:
                stride //= 2

    def _within_budget(self, count: int) -> bool:
        """Return whether this tick's budget allows for that many distances more; if so, they are taken off it."""
        if self._queries + count > MAX_QUERIES:
            return False
        self._queries += count
        return True

    def _worst(self, pairs: Indices, distance: Array) -> tuple[DistancePair, float]:
        k = int((distance - self.active_set.margin[pairs]).argmin())
        return self._pairs[self.active_set.active[pairs[k]]], float(distance[k])


def _path_lengths(paths: Sequence[StopPath], step_lengths: Sequence[int], tick: int) -> list[int]:
    """Distance that each joint has travelled `tick` ticks after the last output: the candidate's step, then the stop."""
    return [step + path.path_length(tick - 1) for path, step in zip(paths, step_lengths, strict=True)]


def _difference(a: Sequence[int], b: Sequence[int]) -> list[int]:
    return [x - y for x, y in zip(a, b, strict=True)]
