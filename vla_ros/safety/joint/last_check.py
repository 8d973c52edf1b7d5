"""Rule last_check: what is about to be sent, checked once more by other means.

Written apart from everything before it: floating point, SI units, finite differences of the positions that were really
sent. It knows nothing of integers, stop policies or states, and imports none of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

NAME = "last_check"

ROUNDING = 2e-9
"""Positions are sent in steps of 1e-9 rad or m; differences of k-th order carry up to 2^k half steps."""


class Bounds(Protocol):
    """What is read of a joint's limits."""

    @property
    def name(self) -> str: ...
    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def velocity(self) -> float: ...
    @property
    def acceleration(self) -> float: ...
    @property
    def jerk(self) -> float: ...
    @property
    def slow_zone(self) -> float: ...
    @property
    def slow_velocity(self) -> float: ...


class LastCheck:
    """Finite differences of the stream of outputs.

    Args:
        limits: of the joints, in the order of the outputs.
        period_s: time between two outputs.
    """

    def __init__(self, limits: Sequence[Bounds], period_s: float) -> None:
        self._limits = tuple(limits)
        self._period_s = h = period_s
        self._largest = [  # change of position, of that, and of that, from output to output
            (
                joint.velocity * h + ROUNDING,
                joint.acceleration * h * h + 2.0 * ROUNDING,
                joint.jerk * h * h * h + 4.0 * ROUNDING,
            )
            for joint in limits
        ]
        self._sent: list[tuple[float, ...]] = []

    def restart(self, positions: Sequence[float]) -> None:
        """Begin a stream at rest at `positions`."""
        self._sent = [tuple(positions)] * 3

    def violation(self, positions: Sequence[float]) -> tuple[str, str, float, float] | None:
        """The first limit that sending `positions` next would break: (joint, quantity, value, limit); None: none."""
        h = self._period_s
        third, second, first = self._sent
        if len(positions) != len(self._limits):
            return "", "number of joints", float(len(positions)), float(len(self._limits))
        rows = zip(self._limits, self._largest, third, second, first, positions, strict=True)
        for joint, (velocity, acceleration, jerk), x3, x2, x1, x in rows:
            if not math.isfinite(x):
                return joint.name, "position", x, joint.upper
            if x < joint.lower - ROUNDING:
                return joint.name, "position", x, joint.lower
            if x > joint.upper + ROUNDING:
                return joint.name, "position", x, joint.upper
            step = x - x1
            bend = step - (x1 - x2)
            twist = bend - (x1 - 2.0 * x2 + x3)
            if not -velocity <= step <= velocity:
                return joint.name, "velocity", step / h, joint.velocity
            room = joint.upper - x if step > 0.0 else x - joint.lower
            if room < joint.slow_zone:
                slow = joint.slow_velocity + (joint.velocity - joint.slow_velocity) * max(0.0, room) / joint.slow_zone
                if abs(step) > slow * h + ROUNDING * (2.0 + joint.velocity * h / joint.slow_zone):
                    return joint.name, "slow zone's velocity", step / h, slow
            if not -acceleration <= bend <= acceleration:
                return joint.name, "acceleration", bend / h**2, joint.acceleration
            if not -jerk <= twist <= jerk:
                return joint.name, "jerk", twist / h**3, joint.jerk
        return None

    def sent(self, positions: Sequence[float]) -> None:
        """Remember what has been sent."""
        self._sent = [self._sent[1], self._sent[2], tuple(positions)]
