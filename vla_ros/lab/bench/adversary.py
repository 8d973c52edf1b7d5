"""The adversarial stream: setpoints at 100 Hz that a filter should not pass on as they are.

The stream depends on nothing but its seed, so that every gate is given the same. Targets lie about a centre that wanders
over the whole range of each joint and somewhat beyond it, at up to half of the speed limit.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Protocol

MODES = ("push", "reversal", "step", "alternation", "nonsense", "corner", "noise", "smooth", "smooth")
BAD = (math.nan, math.nan, math.inf, -math.inf, 1e308, 5e-324)
REACH = 0.19
"""Largest distance of a target from the centre, rad; for a short range a fortieth of it."""
BEYOND = 1.05


class Range(Protocol):
    """What is read of a joint's limits."""

    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def velocity(self) -> float: ...


class Adversary:
    """Args: limits: of the joints. seed: of everything.

    Attributes: mode: of the newest setpoint.
    """

    def __init__(self, limits: Sequence[Range], seed: int) -> None:
        self._draw = random.Random(seed)
        self._middle = [(joint.lower + joint.upper) / 2 for joint in limits]
        self._half = [(joint.upper - joint.lower) / 2 for joint in limits]
        self._rate = [joint.velocity / 2 / (BEYOND * half) for joint, half in zip(limits, self._half, strict=True)]
        self._reach = [min(REACH, half / 20 if half < 0.1 else REACH) for half in self._half]
        self._phase = [self._draw.uniform(-0.3, 0.3) for _ in limits]
        self.mode = "smooth"
        self._left = 50
        self._signs = [1.0 for _ in limits]

    def target(self, time_s: float) -> list[float]:
        """The next setpoint, rad or m per joint; some are not finite."""
        draw = self._draw
        if self._left == 0:
            self.mode = draw.choice(MODES)
            self._left = draw.randint(1, 3) if self.mode == "nonsense" else draw.randint(5, 60)
            self._signs = [draw.choice((-1.0, 1.0)) for _ in self._signs]
        self._left -= 1
        centre = [
            middle + BEYOND * half * math.sin(rate * time_s + phase)
            for middle, half, rate, phase in zip(self._middle, self._half, self._rate, self._phase, strict=True)
        ]
        return [self._one(i, centre[i]) for i in range(len(centre))]

    def _one(self, i: int, centre: float) -> float:
        draw, sign, reach, mode = self._draw, self._signs[i], self._reach[i], self.mode
        if mode == "push":
            return centre + sign * reach
        if mode == "reversal":
            return centre + (sign if self._left % 12 < 6 else -sign) * reach
        if mode == "step":
            return centre + (sign * reach if self._left % 20 < 10 else 0.0)
        if mode == "alternation":
            return centre + (sign if self._left % 2 else -sign) * reach
        if mode == "nonsense":
            return draw.choice(BAD)
        if mode == "corner":
            # Towards whichever end is near enough to be asked for.
            end = self._middle[i] + math.copysign(self._half[i], centre - self._middle[i])
            return centre + max(-reach, min(reach, end - centre))
        if mode == "noise":
            return centre + draw.uniform(-reach, reach)
        return centre
