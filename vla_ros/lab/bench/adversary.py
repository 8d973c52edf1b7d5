"""The adversarial stream: setpoints at 100 Hz that a filter should not pass on unchanged.

The stream depends on its seed alone, so that every gate receives the same setpoints. Targets lie around a centre that moves
over the whole range of each joint and somewhat beyond it, at up to half of the velocity limit.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Protocol

MODES = ("push", "reversal", "step", "alternation", "nonsense", "corner", "noise", "smooth", "smooth")
NONSENSE = (math.nan, math.nan, math.inf, -math.inf, 1e308, 5e-324)
MAX_OFFSET = 0.19
"""Largest distance of a target from the centre, rad or m; for a short range a fortieth of it."""
RANGE_SCALE = 1.05
"""Amplitude of the centre's motion as a multiple of half the range."""


class JointRange(Protocol):
    """The limits of a joint that the adversary reads."""

    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def velocity(self) -> float: ...


class Adversary:
    """Draws the stream.

    Args:
        limits: of the joints.
        seed: of the random generator.

    Attributes:
        mode: of the newest setpoint, one of MODES.
    """

    def __init__(self, limits: Sequence[JointRange], seed: int) -> None:
        self._draw = random.Random(seed)
        self._middle = [(joint.lower + joint.upper) / 2 for joint in limits]
        self._half = [(joint.upper - joint.lower) / 2 for joint in limits]
        self._rate = [joint.velocity / 2 / (RANGE_SCALE * half) for joint, half in zip(limits, self._half, strict=True)]
        self._offset = [min(MAX_OFFSET, half / 20 if half < 0.1 else MAX_OFFSET) for half in self._half]
        self._phase = [self._draw.uniform(-0.3, 0.3) for _ in limits]
        self.mode = "smooth"
        self._remaining = 50
        self._signs = [1.0 for _ in limits]

    def target(self, time_s: float) -> list[float]:
        """Return the next setpoint, rad or m per joint; some are not finite."""
        draw = self._draw
        if self._remaining == 0:
            self.mode = draw.choice(MODES)
            self._remaining = draw.randint(1, 3) if self.mode == "nonsense" else draw.randint(5, 60)
            self._signs = [draw.choice((-1.0, 1.0)) for _ in self._signs]
        self._remaining -= 1
        centre = [
            middle + RANGE_SCALE * half * math.sin(rate * time_s + phase)
            for middle, half, rate, phase in zip(self._middle, self._half, self._rate, self._phase, strict=True)
        ]
        return [self._joint_target(i, centre[i]) for i in range(len(centre))]

    def _joint_target(self, i: int, centre: float) -> float:
        draw, sign, offset, mode = self._draw, self._signs[i], self._offset[i], self.mode
        if mode == "push":
            return centre + sign * offset
        if mode == "reversal":
            return centre + (sign if self._remaining % 12 < 6 else -sign) * offset
        if mode == "step":
            return centre + (sign * offset if self._remaining % 20 < 10 else 0.0)
        if mode == "alternation":
            return centre + (sign if self._remaining % 2 else -sign) * offset
        if mode == "nonsense":
            return draw.choice(NONSENSE)
        if mode == "corner":
            # Towards the end of the range on this side, as far as the largest offset allows.
            end = self._middle[i] + math.copysign(self._half[i], centre - self._middle[i])
            return centre + max(-offset, min(offset, end - centre))
        if mode == "noise":
            return centre + draw.uniform(-offset, offset)
        return centre
