"""Last check: does what is about to be sent keep every limit, judged by other means?

Written apart from everything before it: floating point, SI units, finite differences of the positions that were really
sent. With h the period and x the position of a joint, for every output
    lower <= x <= upper,   |dx| <= V h,   |d2x| <= A h^2,   |d3x| <= J h^3,   and |dx| within the slow zone's line.
It knows nothing of integers, stop policies or states, and imports none of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

NAME = "last_check"

ROUNDING = 2e-9
"""Positions are sent in steps of 1e-9 rad or m; differences of k-th order carry up to 2^k half steps."""


class OutputLimits(Protocol):
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

    def __init__(self, limits: Sequence[OutputLimits], period_s: float) -> None:
        self._limits = tuple(limits)
        self._period_s = h = period_s
        self._max_differences = [  # of position from output to output: first, second, third
            (
                joint.velocity * h + ROUNDING,
                joint.acceleration * h * h + 2.0 * ROUNDING,
                joint.jerk * h * h * h + 4.0 * ROUNDING,
            )
            for joint in limits
        ]

    def violation(
        self, sent: Sequence[Sequence[float]], positions: Sequence[float]
    ) -> tuple[str, str, float, float] | None:
        """Return the first limit that sending `positions` next would break: (joint, quantity, value, limit); None: none.

        Args:
            sent: the newest three outputs, oldest first, rad or m per joint.
            positions: the output that may follow them.
        """
        h = self._period_s
        third, second, first = sent
        if len(positions) != len(self._limits):
            return "", "number of joints", float(len(positions)), float(len(self._limits))
        joints = zip(self._limits, self._max_differences, third, second, first, positions, strict=True)
        for joint, (max_dx, max_d2x, max_d3x), x3, x2, x1, x in joints:
            if not math.isfinite(x):
                return joint.name, "position", x, joint.upper
            if x < joint.lower - ROUNDING:
                return joint.name, "position", x, joint.lower
            if x > joint.upper + ROUNDING:
                return joint.name, "position", x, joint.upper
            dx = x - x1
            d2x = dx - (x1 - x2)
            d3x = d2x - (x1 - 2.0 * x2 + x3)
            if not -max_dx <= dx <= max_dx:
                return joint.name, "velocity", dx / h, joint.velocity
            distance = joint.upper - x if dx > 0.0 else x - joint.lower
            if distance < joint.slow_zone:
                slow = (
                    joint.slow_velocity + (joint.velocity - joint.slow_velocity) * max(0.0, distance) / joint.slow_zone
                )
                if abs(dx) > slow * h + ROUNDING * (2.0 + joint.velocity * h / joint.slow_zone):
                    return joint.name, "slow zone's velocity", dx / h, slow
            if not -max_d2x <= d2x <= max_d2x:
                return joint.name, "acceleration", d2x / h**2, joint.acceleration
            if not -max_d3x <= d3x <= max_d3x:
                return joint.name, "jerk", d3x / h**3, joint.jerk
        return None


def at_rest(positions: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the newest three outputs of a stream that is at rest at `positions`, rad or m per joint."""
    return (tuple(positions),) * 3


def followed_by(sent: Sequence[tuple[float, ...]], positions: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the newest three outputs once `positions` have followed `sent`."""
    return sent[1], sent[2], tuple(positions)
