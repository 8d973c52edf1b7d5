"""Distances that must be kept, now and on the whole way to rest; and how few of them have to be computed for that.

A row is a pair of shapes with a margin: a body of the arm and a side of the fence, the table, a keep-out box, an obstacle, or
another body. For every row a lower bound d of its distance at the present output is kept. With w the row's `reach`
(`arm_model`) and s the distance that each joint still covers until rest, nothing between now and rest is nearer than
d - w.s; a row with d - w.s >= margin needs no look. Where that fails the distance is computed, and where that does not help
either, it is computed at samples of the stopping path:

    Between two samples with distances d1, d2 and b = w.(distance covered between them): a point of the path has covered at
    most b / 2 since the first or until the second, so its distance is at least min(d1, d2) - b / 2.

So a stretch is clear when d1 and d2 are at least margin + b / 2. Samples keep BREATH more than the margin, so that the arm
can also leave a place as near as that, where the first step away has some b, too.

Guarantee: a candidate that `refusal` passes has distance >= margin in every row, at every moment until the stop policy is at
rest, for shapes that stay where they are. By induction so has every output, since the stop policy's action is always left.
Rows that are nearer than that because a shape came to the arm do not get nearer by the arm's motion: the least of their
distances grows from tick to tick until rest, or the candidate does not pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.safety.arm_model import ArmModel
from vla_ros.safety.braking import travel
from vla_ros.safety.limits import NANO
from vla_ros.safety.motion import JointMotion
from vla_ros.safety.stop_path import StopPath

Array = NDArray[np.float64]

TOLERANCE_M = 2e-6
"""coal's iterative distances are exact to 1e-6 m."""
BREATH_M = 1e-3
"""Kept by samples on top of the margin."""
WORK = 300
"""Distances computed for the candidates of one tick. What they do not prove does not pass; slower, there is less to prove."""
SLOWEST = 50
"""Thousandths of the speed limit that are left at the margin: the arm comes to the margin, and to nothing beyond it."""
FAR = np.inf


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


def against(arm: ArmModel, shape: int, rule: str, what: str, margin_m: float, slow_m: float) -> Iterator[Row]:
    """Yield a row for each moving body and one shape in the base frame."""
    for i in arm.moving():
        body = arm.bodies[i]
        yield Row(rule, f"{body.link} and {what}", arm.pair(body.index, shape), arm.reach(i), margin_m, slow_m)


@dataclass(frozen=True)
class Nearest:
    """The row nearest to its margin: distance in m, the points (3,) in base, m, and the row."""

    row: Row
    distance_m: float
    points: tuple[Array, Array]


class Clearance:
    """All rows of one arm.

    Args:
        arm: with all shapes and pairs added.
        rows: to be kept from the start; those of obstacles begin far away.
        present: the joints whose output is watched.
    """

    def __init__(self, arm: ArmModel, rows: Sequence[Row], present: Sequence[JointMotion]) -> None:
        self._arm = arm
        self._rows = list(rows)
        self._joints = present
        self._reach = np.array([row.reach for row in rows]).reshape(len(rows), len(present)).T.copy()
        self._margin = np.array([row.margin_m + TOLERANCE_M + BREATH_M for row in rows])
        slow = np.array([row.slow_m for row in rows])
        self._slows = np.flatnonzero(slow > 0.0)
        self._per_slow = 1.0 / slow[self._slows]
        self._watched = np.ones(len(rows), bool)
        self._distance = np.full(len(rows), -FAR)
        self._fresh = np.zeros(len(rows), bool)
        self._placed = False
        self._work = 0

    def snapshot(self) -> tuple[list[float], list[bool], list[bool]]:
        """What changes from tick to tick."""
        return self._distance.tolist(), self._fresh.tolist(), self._watched.tolist()

    def restore(self, snapshot: tuple[list[float], list[bool], list[bool]]) -> None:
        """Go on from a snapshot."""
        for array, values in zip((self._distance, self._fresh, self._watched), snapshot, strict=True):
            array[:] = values
        self._placed = False

    def begin(self) -> None:
        """A tick begins: what was computed before was so for another output, and is from now on a bound."""
        self._fresh[:] = False
        self._placed = False
        self._work = 0

    def forget(self, first: int, count: int, watched: bool) -> None:
        """Rows first .. first + count - 1 are about another shape now; `watched`: or about none."""
        rows = slice(first, first + count)
        self._watched[rows] = watched
        self._distance[rows] = -FAR if watched else FAR
        self._fresh[rows] = False
        self._placed = False

    def shifted(self, first: int, count: int, distance_m: float) -> None:
        """The shape of rows first .. first + count - 1 has moved by at most `distance_m`."""
        rows = slice(first, first + count)
        self._distance[rows] -= distance_m
        self._fresh[rows] = False
        self._placed = False

    def restart(self) -> tuple[Row, float] | None:
        """The output has been placed elsewhere. The row that is furthest below its margin, if one is."""
        self.begin()
        rows = np.flatnonzero(self._watched)
        self._compute(rows)
        if (self._distance >= self._margin).all():
            return None
        return self._worst_of(rows, self._distance[rows])

    def speed(self) -> tuple[int, Row | None]:
        """Thousandths of the speed limits that the nearest row leaves, and that row; 1000 and None: all of it."""
        if not len(self._slows):
            return 1000, None
        while True:
            shares = (self._distance[self._slows] - self._margin[self._slows]) * self._per_slow
            k = int(shares.argmin())
            i = int(self._slows[k])
            if shares[k] >= 1.0:
                return 1000, None
            if self._fresh[i]:
                return max(SLOWEST, int(shares[k] * 1000)), self._rows[i]
            self._compute(np.array([i]))

    def refusal(self, before: Sequence[tuple[int, int, int]]) -> tuple[Row, float] | None:
        """Whether a candidate must not be sent: the row that it would break, and the distance found, m.

        Args:
            before: (q, v, a) of the joints as the last output left them; the joints themselves are the candidate.
        """
        if all(joint.at_rest for joint in self._joints):
            return None  # staying at rest is what remains when nothing else is allowed
        need = self._margin + _bound(self._reach, self._ways())
        rows = np.flatnonzero(self._distance < need)
        if not len(rows):
            return None
        stale = rows[~self._fresh[rows]]
        if len(stale):
            if len(stale) > WORK:  # those that lack most; the others wait for the next tick
                stale = stale[np.argsort(self._distance[stale] - need[stale], kind="stable")[:WORK]]
            self._compute(stale, [q for q, _, _ in before])
            rows = rows[self._distance[rows] < need[rows]]
            if not len(rows):
                return None
        steps = [abs(joint.v) for joint in self._joints]
        inside = self._distance[rows] < self._margin[rows]
        if inside.any():
            return self._away(rows[inside]) or self._along(rows[~inside], steps)
        return self._along(rows, steps)

    def _ways(self) -> list[int]:
        """Bound on what each joint still covers until rest, the candidate's step included, nanoradian or nanometre.

        As `PositionLimit.reach`: the way on with the present velocity, and the way back of an acceleration against it.
        """
        ways = []
        for joint in self._joints:
            speed, push, limits = abs(joint.v), abs(joint.a), joint.limits
            if not (speed or push):
                ways.append(0)
                continue
            rise = travel(push, limits.jerk) - push
            ramp = -(-push // limits.jerk) - (-2 * limits.acceleration // limits.jerk) + 2
            if (joint.v < 0) is (joint.a < 0) or not speed:
                peak = speed + rise
                ways.append(speed + peak * ramp + travel(peak, limits.acceleration))
            else:
                back = max(0, rise - speed)
                ways.append(
                    speed
                    + (speed + back) * ramp
                    + travel(speed, limits.acceleration)
                    + travel(back, limits.acceleration)
                )
        return ways

    def moved(self, steps: Sequence[int]) -> None:
        """The output has moved by `steps`, nanoradian or nanometre per joint."""
        if any(steps):
            self._distance -= _bound(self._reach, [abs(step) for step in steps])

    def nearest(self) -> Nearest | None:
        """The row nearest to its margin at the present output. It changes nothing."""
        distance, left = self._distance.copy(), self._margin
        if not self._watched.any():
            return None
        self._arm.place([joint.q / NANO for joint in self._joints])
        self._placed = False
        seen: set[int] = set()
        while True:
            i = int((distance - left).argmin())
            if i in seen:
                row = self._rows[i]
                return Nearest(row, float(distance[i]), self._arm.nearest_points(row.pair))
            distance[i] = self._arm.distance(self._rows[i].pair)
            seen.add(i)

    def _compute(self, rows: NDArray[np.intp], q: Sequence[int] | None = None) -> None:
        """Compute the distances of rows at q, by default the present output's."""
        if not self._placed:
            self._arm.place([x / NANO for x in (q or [joint.q for joint in self._joints])])
            self._placed = True
        for i in rows:
            self._distance[i] = self._arm.distance(self._rows[i].pair)
        self._fresh[rows] = True

    def _away(self, rows: NDArray[np.intp]) -> tuple[Row, float] | None:
        """Follow the candidate's stopping path tick by tick; the row that lacks most where the least distance shrinks."""
        self._placed = False
        paths = self._paths()
        least = (self._distance[rows] - self._margin[rows]).min()
        end = max(path.ticks for path in paths)
        if not self._affords((end + 1) * len(rows)):
            return self._worst_of(rows, self._distance[rows])
        for tick in range(end + 1):
            self._arm.place([path.at(tick) / NANO for path in paths])
            found = np.array([self._arm.distance(self._rows[i].pair) for i in rows])
            if (found - self._margin[rows]).min() < least:
                return self._worst_of(rows, found)
            least = (found - self._margin[rows]).min()
        return None

    def _paths(self) -> list[StopPath]:
        return [
            StopPath(joint.q, joint.v, joint.a, joint.limits.acceleration, joint.limits.jerk) for joint in self._joints
        ]

    def _along(self, rows: NDArray[np.intp], steps: Sequence[int]) -> tuple[Row, float] | None:
        """Sample the stopping path of the candidate for these rows, whose distances at its start are known."""
        self._placed = False
        paths = self._paths()
        end = 1 + max(path.ticks for path in paths)
        whole = _covered(paths, steps, end)
        tick, covered, stride = 0, [0] * len(paths), end
        distance = self._distance[rows]
        while True:
            near = _bound(self._reach[:, rows], _minus(whole, covered)) > distance - self._margin[rows]
            if not near.any():
                return None
            rows, distance = rows[near], distance[near]
            reach, margin = self._reach[:, rows], self._margin[rows]
            stride = min(stride, end - tick)
            while True:
                ahead = _covered(paths, steps, tick + stride)
                half = _bound(reach, _minus(ahead, covered)) / 2 - BREATH_M
                if (half <= distance - margin).all():
                    break
                if stride == 1:
                    return self._worst_of(rows, distance - half)
                stride //= 2
            if not self._affords(len(rows)):
                return self._worst_of(rows, distance)
            self._arm.place([path.at(tick + stride - 1) / NANO for path in paths])
            found = np.array([self._arm.distance(self._rows[i].pair) for i in rows])
            if (found >= margin).all() and (found >= margin + half).all():
                tick, covered, distance = tick + stride, ahead, found
                stride *= 2
            elif stride == 1 or (found < margin).any():
                return self._worst_of(rows, found - np.maximum(half, 0.0))
            else:
                stride //= 2

    def _affords(self, count: int) -> bool:
        """Whether this tick's work allows for that many distances more; if so, they are taken off it."""
        if self._work + count > WORK:
            return False
        self._work += count
        return True

    def _worst_of(self, rows: NDArray[np.intp], distance: Array) -> tuple[Row, float]:
        k = int((distance - self._margin[rows]).argmin())
        return self._rows[rows[k]], float(distance[k])


def _bound(reach: Array, covered: Sequence[int]) -> Array:
    """How far the shapes of each row move against each other at most, m, when the joints cover `covered`.

    Added up joint by joint, not by a dot product, whose order of additions differs between processors.
    """
    ways = np.array([x / NANO for x in covered])
    total: Array = np.add.reduce(reach * ways[:, None], axis=0)
    return total


def _covered(paths: Sequence[StopPath], steps: Sequence[int], tick: int) -> list[int]:
    """Distance that each joint has covered `tick` ticks after the last output: the candidate's step, then the stop."""
    return [step + path.travelled(tick - 1) for path, step in zip(paths, steps, strict=True)]


def _minus(a: Sequence[int], b: Sequence[int]) -> list[int]:
    return [x - y for x, y in zip(a, b, strict=True)]
