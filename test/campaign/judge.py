"""The judge: what was sent, against the limits, exactly, in whole numbers; it knows nothing of how the filter got there.

Limits are rational numbers, taken as they are written in decimals: 2.61 means 261/100, not the binary number next to it.
Outputs are whole nanoradians (nanometres). So no comparison here has a tolerance. Rows are judged in blocks with numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vla_ros.safety.joint.joint_limits import JointLimits

NANO = 10**9
BLOCK = 4096
"""Rows kept before they are judged."""
ORDERS = ("velocity", "acceleration", "jerk")
Row = Sequence[float]


class Judge:
    """Args: limits: of the joints. period_s: from one output to the next.

    checked: joint-ticks judged. worst: largest share of each limit that was used. nearest: smallest distance to the end
    of a range, rad or m. at_end: joint-ticks on an end of the range.
    """

    def __init__(self, limits: Sequence[JointLimits], period_s: float) -> None:
        self.checked = self.at_end = 0
        self.worst = dict.fromkeys((*ORDERS, "slow_zone"), 0.0)
        self.nearest = np.inf
        h = _written(period_s)
        self._names = [joint.name for joint in limits]
        self._lower = np.array([-((-_written(joint.lower) * NANO) // 1) for joint in limits], np.int64)
        self._upper = np.array([(_written(joint.upper) * NANO) // 1 for joint in limits], np.int64)
        rates = [[_written(getattr(joint, name)) * h**k * NANO for joint in limits] for k, name in enumerate(ORDERS, 1)]
        self._bounds = np.array([[bound // 1 for bound in row] for row in rates], np.int64)
        self._shares = np.array(rates, np.float64)
        self._zones = [
            (i, _written(joint.slow_zone) * NANO, _written(joint.slow_velocity) * h * NANO, rates[0][i])
            for i, joint in enumerate(limits)
            if joint.slow_zone
        ]
        self._rows: list[Row] = []
        self._first = 0

    def begin(self, rest: Row) -> None:
        """A stream begins, from rest at `rest`."""
        self.finish()
        self._rows, self._first = [rest, rest, rest], self.checked // len(self._names)

    def sent(self, positions: Row) -> None:
        """One more output; begin comes before the first."""
        self._rows.append(positions)
        if len(self._rows) >= BLOCK:
            self.finish()

    def ticks_to_rest(self, step: Sequence[float]) -> int:
        """Ticks within which a stop ends when the last output moved by `step`: |v| / A + 6 ceil(A / J) + 6."""
        v = np.rint(np.abs(np.array(step)) * NANO).astype(np.int64)
        _, a, j = self._bounds
        return int((v // a - 6 * (-a // j) + 6).max())

    def finish(self) -> None:
        """Judge what has not been judged yet.

        Raises:
            AssertionError: the first limit that was broken: joint, tick, quantity, numbers.
        """
        if len(self._rows) < 4:
            return
        x = np.array(self._rows, np.float64)
        self._rows = self._rows[-3:]
        if not np.isfinite(x).all():
            raise AssertionError(self._broken("position", ~np.isfinite(x[3:]), x[3:], "not finite"))
        q = np.rint(x * NANO).astype(np.int64)
        room = np.minimum(q[3:] - self._lower, self._upper - q[3:])
        if (room < 0).any():
            raise AssertionError(self._broken("position", room < 0, q[3:], "outside its range"))
        v = np.diff(q, axis=0)
        a = np.diff(v, axis=0)
        for name, bound, share, d in zip(
            ORDERS, self._bounds, self._shares, (v[2:], a[1:], np.diff(a, axis=0)), strict=True
        ):
            size = np.abs(d)
            if (size > bound).any():
                raise AssertionError(self._broken(name, size > bound, d, f"limits {bound.tolist()} per tick"))
            self.worst[name] = max(self.worst[name], float((size / share).max()))
        self._judge_zones(q[3:], v[2:])
        self.nearest = min(self.nearest, float(room.min()) / NANO)
        self.at_end += int((room == 0).sum())
        self.checked += room.size

    def _judge_zones(self, q: NDArray[np.int64], v: NDArray[np.int64]) -> None:
        for i, zone, slow, fast in self._zones:
            moving = np.where(v[:, i] > 0, self._upper[i] - q[:, i], q[:, i] - self._lower[i])
            allowed = float(slow) + float(fast - slow) * np.minimum(moving / float(zone), 1.0)
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where((v[:, i] == 0) | (moving >= float(zone)), 0.0, np.abs(v[:, i]) / allowed)
            for k in np.flatnonzero(share > 1.0 - 1e-9):  # so near that floating point cannot tell
                speed, room = abs(int(v[k, i])), int(moving[k])
                if room < zone and speed * zone > slow * zone + (fast - slow) * room:
                    where = np.zeros_like(v, bool)
                    where[k, i] = True
                    raise AssertionError(self._broken("slow_zone", where, v, f"{room} from the end of the range"))
            self.worst["slow_zone"] = max(self.worst["slow_zone"], float(share.max()))

    def _broken(self, what: str, where: NDArray[np.bool_], values: NDArray[np.generic], limit: str) -> str:
        k, i = (int(index[0]) for index in np.nonzero(where))
        tick = self.checked // len(self._names) - self._first + k
        return f"{what} of {self._names[i]} at output {tick} of its stream: {values[k, i]}; {limit}"


def _written(value: float) -> Fraction:
    return Fraction(repr(float(value)))
