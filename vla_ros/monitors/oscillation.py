"""Oscillation: a joint that moves back and forth."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from vla_ros.monitors.monitor_parameters import OscillationParameters
from vla_ros.time import NS_PER_S


class Oscillation:
    """Counts the reversals of each joint. A reversal is a motion of at least `amplitude` back from the farthest point."""

    def __init__(self, parameters: OscillationParameters) -> None:
        self._parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new instruction has begun."""
        self._farthest: dict[str, float] = {}
        self._direction: dict[str, int] = {}
        self._reversals_ns: dict[str, deque[int]] = {}
        self._now_ns = 0

    def on_setpoint(self, now_ns: int, names: Sequence[str], positions: Sequence[float]) -> None:
        """Take in what the safety filter sent: (n,) rad or m; empty when it sends nothing, and only time passes."""
        self._now_ns = now_ns
        amplitude = self._parameters.amplitude
        for name, q in zip(names, positions, strict=False):
            travelled = q - self._farthest.setdefault(name, q)
            direction = self._direction.get(name, 0)
            if travelled * direction >= 0 and direction:
                self._farthest[name] = q
            elif abs(travelled) >= amplitude:
                if direction:
                    self._reversals_ns.setdefault(name, deque(maxlen=self._parameters.reversals)).append(now_ns)
                self._direction[name], self._farthest[name] = (1 if travelled > 0 else -1), q

    def warning(self) -> str:
        """Return which joint oscillates; empty when none does."""
        for name, times in self._reversals_ns.items():
            recent = self._now_ns - times[0] <= self._parameters.seconds * NS_PER_S
            if len(times) == self._parameters.reversals and recent:
                return f"{name} turned round {len(times)} times within {self._parameters.seconds:g} s"
        return ""
