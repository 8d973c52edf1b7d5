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
A pair that is nearer than that because a shape came to the arm does not get nearer by the arm's motion: each by itself, such
a pair's distance falls in no tick until rest, or the candidate is a violation. Of the pairs that keep their margin, but not
SAMPLE_MARGIN_M more, the least distance falls in no tick.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.safety.geometry.active_set import UNKNOWN, ActiveSet, DistancePair, DistanceState, Indices, approach_bound
from vla_ros.safety.geometry.approach import Approach, Permille
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO
from vla_ros.safety.joint.joint_motion import JointMotion, JointOutput
from vla_ros.safety.joint.stop_path import StopPath, stop_path_lengths

TOLERANCE_M = 2e-6
"""coal's iterative distances are exact to 1e-6 m."""
SAMPLE_MARGIN_M = 1e-3
"""Kept by samples on top of the margin."""
MAX_QUERIES = 300
"""Distances computed in one tick. A candidate that they do not prove clear is a violation; a slower one needs fewer."""
MAX_NEW_QUERIES = 32
"""Of those, for the measured arm, of pairs that nothing was known of; it is judged first in a tick."""
SLIDE_ROOM_M = 1e-3
"""The arm slides so much above the margin, because what it slides along is curved."""
SLIDE_AHEAD_M = 0.01
"""It begins to when a stop would end so near; until a step is refused, some ticks are left at any speed."""
MAX_SLIDES = 16
"""Pairs along which it slides at once."""
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
        motions: of the joints whose outputs are checked.
    """

    def __init__(self, arm: ArmModel, pairs: Sequence[DistancePair], motions: Sequence[JointMotion]) -> None:
        self._arm = arm
        self._pairs = list(pairs)
        self._motions = motions
        self._limits = [(motion.limits.acceleration, motion.limits.jerk) for motion in motions]
        accelerations = [motion.limits.acceleration for motion in motions]
        self.active_set = ActiveSet(pairs, TOLERANCE_M + SAMPLE_MARGIN_M, accelerations)
        self._placed = False  # whether the arm model stands where this tick's distances are asked for

    def start_tick(self, state: DistanceState, joints: Sequence[JointOutput]) -> None:
        """Begin a tick: what was computed before was so for another output, and is from now on a bound."""
        self._placed = False
        state.queries = 0
        state.current[:] = False
        if not self.active_set.covers(state, [0] * len(joints)):
            self.active_set.refresh(state, self._stop_path_lengths(joints))

    def restart(self, state: DistanceState, joints: Sequence[JointOutput]) -> tuple[DistancePair, float] | None:
        """Begin where the output has been placed. Return the pair furthest below its margin, and its distance, if one is."""
        in_use = np.flatnonzero(state.in_use)
        found = self._distances_at([joint.q for joint in joints], in_use)
        self.active_set.set_distances(state, in_use, found)
        spare = found - self.active_set.margins[in_use]
        if (spare >= 0.0).all():
            return None
        k = int(spare.argmin())
        return self._pairs[in_use[k]], float(found[k])

    def deviation(
        self, state: DistanceState, joints: Sequence[JointOutput], measured: Sequence[int], tolerance_m: float
    ) -> tuple[DistancePair, float] | None:
        """Return the pair in which the measured arm is nearer than min(margin, distance at the output) - tolerance.

        Args:
            state: of the distances; those at the output that were not known are computed.
            joints: the output.
            measured: (n,) nanoradian or nanometre.
            tolerance_m: m.

        Returns:
            that which lacks most, and its measured distance, m; None: none does, or there are more of them near than a tick
            may compute: then the candidates are refused as well.
        """
        sent = [joint.q for joint in joints]
        bounds = self.active_set.distance_bounds(state)
        unknown = np.flatnonzero(state.in_use & (bounds < UNKNOWN / 2))[:MAX_NEW_QUERIES]
        if len(unknown):
            state.queries += len(unknown)
            bounds[unknown] = self._distances_at(sent, unknown)
            self.active_set.set_distances(state, unknown, bounds[unknown])
        known = state.in_use & (bounds > UNKNOWN / 2)
        least = bounds - self.active_set.approach([abs(travelled) for travelled in _difference(measured, sent)])
        suspects = np.flatnonzero(known & (least < self.active_set.margins - tolerance_m))
        if not len(suspects) or not _within_budget(state, 2 * len(suspects)):
            return None
        found = self._distances_at(measured, suspects)
        near = found < self.active_set.margins[suspects] - tolerance_m
        suspects, found = suspects[near], found[near]
        if not len(suspects):
            return None
        allowed = np.minimum(self.active_set.margins[suspects], self._distances_at(sent, suspects))
        spare = found - allowed + tolerance_m
        k = int(spare.argmin())
        return (self._pairs[suspects[k]], float(found[k])) if spare[k] < 0.0 else None

    def _distances_at(self, q: Sequence[int], pairs: Indices) -> Array:
        """Compute the distances of pairs with the joints at q, nanoradian or nanometre."""
        self._placed = False
        self._arm.place([x / NANO for x in q])
        return np.array([self._arm.distance(self._pairs[i].index) for i in pairs])

    def speed_permille(self, state: DistanceState, joints: Sequence[JointOutput]) -> tuple[int, DistancePair | None]:
        """Return the thousandths of the speed limits that the nearest pair leaves, and that pair; (1000, None): all."""
        if not len(state.active):
            return 1000, None
        near, distance = self.active_set.pairs(state), state.active_distance
        shares = (distance - near.margin) * near.inverse_slow + near.no_slow_zone
        while True:
            k = int(shares.argmin())
            if shares[k] >= 1.0:
                return 1000, None
            if state.current[k]:
                return max(MIN_SPEED_PERMILLE, int(shares[k] * 1000)), self._pairs[state.active[k]]
            if not _within_budget(state, 1):
                return MIN_SPEED_PERMILLE, self._pairs[state.active[k]]
            self._update_distances(state, np.array([k]), [joint.q for joint in joints])
            shares[k] = (distance[k] - near.margin[k]) * near.inverse_slow[k]

    def violation(
        self, state: DistanceState, joints: Sequence[JointOutput], before: Sequence[tuple[int, int, int]]
    ) -> tuple[DistancePair, float] | None:
        """Return the pair that a candidate would bring below its margin, and the distance found, m; None: it is clear.

        Args:
            state: of the distances.
            joints: the candidate.
            before: (q, v, a) of the joints as the last output left them.
        """
        path_lengths = self._stop_path_lengths(joints)
        if not any(path_lengths):
            return None  # staying at rest is what remains when nothing else is allowed
        if not self.active_set.covers(state, path_lengths):
            self.active_set.refresh(state, path_lengths)
        if not state.may_hold:
            return None
        unproven = self._unproven(state, path_lengths, before)
        if not len(unproven):
            return None
        below = state.active_distance[unproven] < self.active_set.pairs(state).margin[unproven]
        approach = self._approach_violation(state, joints, unproven[below]) if below.any() else None
        return approach or self._path_violation(state, joints, unproven[~below])

    def slide_permille(
        self, state: DistanceState, joints: Sequence[JointOutput], rates: Array, now: Array, approach: Approach
    ) -> tuple[Permille, DistancePair | None]:
        """Return the thousandths of each joint's wanted velocity, (n,), with which the arm slides along what held it back.

        Args:
            state: of the distances; it slides no more when nothing is slowed.
            joints: the output.
            rates, now: (n,) that the joints want to have and have, rad/s or m/s.
            approach: of the joints.

        Returns:
            and the nearest of the pairs that it slides along; None: there is none.
        """
        near, distance = self.active_set.pairs(state), state.active_distance
        nears = approach_bound(near.lever_arms, [int(x * NANO) for x in approach.reach(rates, now)])
        needed = near.margin + SLIDE_ROOM_M + nears
        found = np.flatnonzero(distance < needed)
        found = found[np.argsort((distance - near.margin)[found], kind="stable")[:MAX_SLIDES]]
        if not _within_budget(state, 2 * len(found)):
            return np.full(len(joints), 1000), None
        self._update_distances(state, found, [joint.q for joint in joints])
        found = found[distance[found] < needed[found]]
        pairs = [self._pairs[i].index for i in state.active[found]]
        gradients = self._arm.distance_gradients([joint.q / NANO for joint in joints], pairs, distance[found])
        in_tick = approach_bound(near.lever_arms[:, found], [int(abs(x) * approach.period_s * NANO) for x in rates])
        spare = distance[found] - near.margin[found]
        unsampled = np.maximum(in_tick / 2 - SAMPLE_MARGIN_M, 0.0)
        left = approach.permille(gradients, rates, now, spare - SLIDE_ROOM_M - unsampled)
        fast = (unsampled > spare) & (spare > 0.0)  # along it, too: between two samples all directions look the same
        shares = 1980 * (spare + SAMPLE_MARGIN_M)[fast] / in_tick[fast]
        left = np.minimum(left, int(shares.min(initial=1000.0)))
        state.slides = bool((left < 1000).any())
        return left, self._pairs[state.active[found[int(spare.argmin())]]] if state.slides else None

    def arm_moved(self, state: DistanceState, steps: Sequence[int]) -> None:
        """Lower the bounds: the output has moved by `steps`, nanoradian or nanometre per joint."""
        if any(steps):
            self.active_set.arm_moved(state, steps)

    def nearest(self, state: DistanceState, joints: Sequence[JointOutput]) -> NearestPair | None:
        """Return the pair nearest to its margin at the present output. It changes nothing in `state`."""
        in_use = np.flatnonzero(state.in_use)
        if not len(in_use):
            return None
        self._arm.place([joint.q / NANO for joint in joints])
        self._placed = False
        margins = self.active_set.margins[in_use]
        spare = self.active_set.distance_bounds(state)[in_use] - margins
        computed: set[int] = set()
        while True:
            k = int(spare.argmin())
            pair = self._pairs[in_use[k]]
            if k in computed or len(computed) == MAX_QUERIES:
                return NearestPair(pair, self._arm.distance(pair.index), self._arm.nearest_points(pair.index))
            spare[k] = self._arm.distance(pair.index) - margins[k]
            computed.add(k)

    def _stop_path_lengths(self, joints: Sequence[JointOutput]) -> list[int]:
        return stop_path_lengths([(joint.q, joint.v, joint.a) for joint in joints], self._limits)

    def _unproven(
        self, state: DistanceState, path_lengths: Sequence[int], before: Sequence[tuple[int, int, int]]
    ) -> Indices:
        """Return those of the active pairs whose distance at `before` does not prove the whole path to rest clear."""
        near, distance = self.active_set.pairs(state), state.active_distance
        needed = near.margin + approach_bound(near.lever_arms, path_lengths)
        unproven = np.flatnonzero(distance < needed)
        outdated = unproven[~state.current[unproven]]
        if len(outdated):
            left = MAX_QUERIES - state.queries
            if len(outdated) > left:  # those that lack most; the others wait for the next tick
                outdated = outdated[np.argsort(distance[outdated] - needed[outdated], kind="stable")[:left]]
            state.queries += len(outdated)
            self._update_distances(state, outdated, [q for q, _, _ in before])
            unproven = unproven[distance[unproven] < needed[unproven]]
        return unproven

    def _update_distances(self, state: DistanceState, active: Indices, q: Sequence[int]) -> None:
        """Compute the distances of active pairs at q, nanoradian or nanometre, the output of the tick before."""
        if not self._placed:
            self._arm.place([x / NANO for x in q])
            self._placed = True
        state.active_distance[active] = self._query(state, active)
        state.current[active] = True

    def _query(self, state: DistanceState, active: Indices) -> Array:
        """Compute the distances of active pairs where the arm is placed, m."""
        return np.array([self._arm.distance(self._pairs[i].index) for i in state.active[active]])

    def _approach_violation(
        self, state: DistanceState, joints: Sequence[JointOutput], pairs: Indices
    ) -> tuple[DistancePair, float] | None:
        """Follow the candidate's stop path tick by tick; return a pair that it brings nearer, which is near already."""
        self._placed = False
        paths = self._stop_paths(joints)
        margin, least = self.active_set.pairs(state).margin[pairs], state.active_distance[pairs]
        ticks = 1 + max(path.ticks for path in paths)
        # Of a lower bound nobody knows whether it falls.
        if not state.current[pairs].all() or not _within_budget(state, ticks * len(pairs)):
            return self._worst(state, pairs, margin)
        inside = least < margin - SAMPLE_MARGIN_M
        for tick in range(ticks):
            self._arm.place([path.position(tick) / NANO for path in paths])
            found = self._query(state, pairs)
            least_spare = (least - margin)[~inside].min(initial=0.0)
            nearer = np.where(inside, found < least, found - margin < least_spare)
            if nearer.any():
                return self._worst(state, pairs[nearer], found[nearer])
            least = found
        return None

    def _stop_paths(self, joints: Sequence[JointOutput]) -> list[StopPath]:
        return [
            StopPath(joint.q, joint.v, joint.a, motion.limits.acceleration, motion.limits.jerk)
            for motion, joint in zip(self._motions, joints, strict=True)
        ]

    def _path_violation(
        self, state: DistanceState, joints: Sequence[JointOutput], pairs: Indices
    ) -> tuple[DistancePair, float] | None:
        """Sample the stop path of the candidate for these pairs, whose distances at its start are known."""
        self._placed = False
        step_lengths = [abs(joint.v) for joint in joints]
        paths = self._stop_paths(joints)
        end = 1 + max(path.ticks for path in paths)
        whole = _path_lengths(paths, step_lengths, end)
        tick, travelled, stride = 0, [0] * len(paths), end
        near = self.active_set.pairs(state)
        distance, lever_arms, margin = state.active_distance[pairs], near.lever_arms[:, pairs], near.margin[pairs]
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
                    return self._worst(state, pairs, distance - half)
                stride //= 2
            if not _within_budget(state, len(pairs)):
                return self._worst(state, pairs, distance)
            self._arm.place([path.position(tick + stride - 1) / NANO for path in paths])
            found = self._query(state, pairs)
            state.slides |= bool((found < margin + SLIDE_AHEAD_M).any())
            if (found >= margin).all() and (found >= margin + half).all():
                tick, travelled, distance = tick + stride, ahead, found
                stride *= 2
            elif stride == 1 or (found < margin).any():
                return self._worst(state, pairs, found - np.maximum(half, 0.0))
            else:
                stride //= 2

    def _worst(self, state: DistanceState, pairs: Indices, distance: Array) -> tuple[DistancePair, float]:
        k = int((distance - self.active_set.pairs(state).margin[pairs]).argmin())
        return self._pairs[state.active[pairs[k]]], float(distance[k])


def _within_budget(state: DistanceState, count: int) -> bool:
    """Return whether this tick's budget allows for that many distances more; if so, they are taken off it."""
    if state.queries + count > MAX_QUERIES:
        return False
    state.queries += count
    return True


def _path_lengths(paths: Sequence[StopPath], step_lengths: Sequence[int], tick: int) -> list[int]:
    """Distance that each joint has travelled `tick` ticks after the last output: the candidate's step, then the stop."""
    return [step + path.path_length(tick - 1) for path, step in zip(paths, step_lengths, strict=True)]


def _difference(a: Sequence[int], b: Sequence[int]) -> list[int]:
    return [x - y for x, y in zip(a, b, strict=True)]
