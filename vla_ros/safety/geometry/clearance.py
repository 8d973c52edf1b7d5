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

from vla_ros.safety.geometry.active_set import Array, Indices, Neighbours, Row, Snapshot, bound
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.joint.stop_path import StopPath

TOLERANCE_M = 2e-6
"""coal's iterative distances are exact to 1e-6 m."""
BREATH_M = 1e-3
"""Kept by samples on top of the margin."""
WORK = 300
"""Distances computed in one tick. What they do not prove does not pass; slower, there is less to prove."""
SLOWEST = 50
"""Thousandths of the speed limit that are left at the margin: the arm comes to the margin, and to nothing beyond it."""


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
        self.near = Neighbours(rows, TOLERANCE_M + BREATH_M, [joint.limits.acceleration for joint in present])
        self._placed = False
        self._work = 0

    def snapshot(self) -> Snapshot:
        """What changes from tick to tick."""
        return self.near.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot."""
        self.near.restore(snapshot)

    def begin(self) -> None:
        """A tick begins: what was computed before was so for another output, and is from now on a bound."""
        self._placed = False
        self._work = 0
        near = self.near
        near.fresh[:] = False
        if not near.suffice([0] * len(self._joints)):
            near.survey([joint.way() for joint in self._joints])

    def restart(self) -> tuple[Row, float] | None:
        """The output has been placed elsewhere. The row that is furthest below its margin, if one is."""
        self._placed = False
        rows = self.near.watched()
        self._arm.place([joint.q / NANO for joint in self._joints])
        found = np.array([self._arm.distance(self._rows[i].pair) for i in rows])
        self.near.known(rows, found)
        lacking = found - self.near.margins[rows]
        if (lacking >= 0.0).all():
            return None
        k = int(lacking.argmin())
        return self._rows[rows[k]], float(found[k])

    def speed(self) -> tuple[int, Row | None]:
        """Thousandths of the speed limits that the nearest row leaves, and that row; 1000 and None: all of it."""
        near = self.near
        if not len(near.rows):
            return 1000, None
        shares = (near.distance - near.margin) * near.per_slow + near.calm
        while True:
            k = int(shares.argmin())
            if shares[k] >= 1.0:
                return 1000, None
            if near.fresh[k]:
                return max(SLOWEST, int(shares[k] * 1000)), self._rows[near.rows[k]]
            if not self._affords(1):
                return SLOWEST, self._rows[near.rows[k]]
            self._compute(np.array([k]))
            shares[k] = (near.distance[k] - near.margin[k]) * near.per_slow[k]

    def refusal(self, before: Sequence[tuple[int, int, int]]) -> tuple[Row, float] | None:
        """Whether a candidate must not be sent: the row that it would break, and the distance found, m.

        Args:
            before: (q, v, a) of the joints as the last output left them; the joints themselves are the candidate.
        """
        ways = [joint.way() for joint in self._joints]
        if not any(ways):
            return None  # staying at rest is what remains when nothing else is allowed
        near = self.near
        if not near.suffice(ways):
            near.survey(ways)
        if not near.hold:
            return None
        need = near.margin + bound(near.reach, ways)
        lacking = np.flatnonzero(near.distance < need)
        if not len(lacking):
            return None
        stale = lacking[~near.fresh[lacking]]
        if len(stale):
            room = WORK - self._work
            if len(stale) > room:  # those that lack most; the others wait for the next tick
                stale = stale[np.argsort(near.distance[stale] - need[stale], kind="stable")[:room]]
            self._work += len(stale)
            self._compute(stale, [q for q, _, _ in before])
            lacking = lacking[near.distance[lacking] < need[lacking]]
            if not len(lacking):
                return None
        steps = [abs(joint.v) for joint in self._joints]
        inside = near.distance[lacking] < near.margin[lacking]
        if inside.any():
            return self._away(lacking[inside]) or self._along(lacking[~inside], steps)
        return self._along(lacking, steps)

    def moved(self, steps: Sequence[int]) -> None:
        """The output has moved by `steps`, nanoradian or nanometre per joint."""
        if any(steps):
            self.near.moved(steps)

    def nearest(self) -> Nearest | None:
        """The row nearest to its margin at the present output. It changes nothing."""
        watched = self.near.watched()
        if not len(watched):
            return None
        self._arm.place([joint.q / NANO for joint in self._joints])
        self._placed = False
        margins = self.near.margins[watched]
        lacking = self.near.bounds()[watched] - margins
        seen: set[int] = set()
        while True:
            k = int(lacking.argmin())
            row = self._rows[watched[k]]
            if k in seen or len(seen) == WORK:
                return Nearest(row, self._arm.distance(row.pair), self._arm.nearest_points(row.pair))
            lacking[k] = self._arm.distance(row.pair) - margins[k]
            seen.add(k)

    def _compute(self, near: Indices, q: Sequence[int] | None = None) -> None:
        """Compute the distances of near rows at q, by default the present output's."""
        if not self._placed:
            self._arm.place([x / NANO for x in (q or [joint.q for joint in self._joints])])
            self._placed = True
        self.near.distance[near] = self._measured(near)
        self.near.fresh[near] = True

    def _measured(self, near: Indices) -> Array:
        """Distances of near rows where the arm is placed, m."""
        return np.array([self._arm.distance(self._rows[i].pair) for i in self.near.rows[near]])

    def _away(self, rows: Indices) -> tuple[Row, float] | None:
        """Follow the candidate's stopping path tick by tick; the row that lacks most where the least distance shrinks."""
        self._placed = False
        paths = self._paths()
        margin = self.near.margin[rows]
        found = self.near.distance[rows]
        end = max(path.ticks for path in paths)
        if not self._affords((end + 1) * len(rows)):
            return self._worst_of(rows, found)
        least = (found - margin).min()
        for tick in range(end + 1):
            self._arm.place([path.at(tick) / NANO for path in paths])
            found = self._measured(rows)
            if (found - margin).min() < least:
                return self._worst_of(rows, found)
            least = (found - margin).min()
        return None

    def _paths(self) -> list[StopPath]:
        return [
            StopPath(joint.q, joint.v, joint.a, joint.limits.acceleration, joint.limits.jerk) for joint in self._joints
        ]

    def _along(self, rows: Indices, steps: Sequence[int]) -> tuple[Row, float] | None:
        """Sample the stopping path of the candidate for these rows, whose distances at its start are known."""
        self._placed = False
        paths = self._paths()
        end = 1 + max(path.ticks for path in paths)
        whole = _covered(paths, steps, end)
        tick, covered, stride = 0, [0] * len(paths), end
        distance, reach, margin = self.near.distance[rows], self.near.reach[:, rows], self.near.margin[rows]
        while True:
            open_ = bound(reach, _minus(whole, covered)) > distance - margin
            if not open_.any():
                return None
            if not open_.all():
                rows, distance, reach, margin = rows[open_], distance[open_], reach[:, open_], margin[open_]
            stride = min(stride, end - tick)
            while True:
                ahead = _covered(paths, steps, tick + stride)
                half = bound(reach, _minus(ahead, covered)) / 2 - BREATH_M
                if (half <= distance - margin).all():
                    break
                if stride == 1:
                    return self._worst_of(rows, distance - half)
                stride //= 2
            if not self._affords(len(rows)):
                return self._worst_of(rows, distance)
            self._arm.place([path.at(tick + stride - 1) / NANO for path in paths])
            found = self._measured(rows)
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

    def _worst_of(self, rows: Indices, distance: Array) -> tuple[Row, float]:
        k = int((distance - self.near.margin[rows]).argmin())
        return self._rows[self.near.rows[rows[k]]], float(distance[k])


def _covered(paths: Sequence[StopPath], steps: Sequence[int], tick: int) -> list[int]:
    """Distance that each joint has covered `tick` ticks after the last output: the candidate's step, then the stop."""
    return [step + path.travelled(tick - 1) for path, step in zip(paths, steps, strict=True)]


def _minus(a: Sequence[int], b: Sequence[int]) -> list[int]:
    return [x - y for x, y in zip(a, b, strict=True)]
