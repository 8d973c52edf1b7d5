"""Oscillation: a joint that goes to and fro."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from vla_ros.monitors.monitor_parameters import OscillationParameters


class Oscillation:
    """Counts the turns of each joint; a turn is a way of `amplitude` back from the farthest point.

    Args: parameters: see there.
    """

    def __init__(self, parameters: OscillationParameters) -> None:
        self._parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Another instruction: nothing before it counts."""
        self._farthest: dict[str, float] = {}
        self._direction: dict[str, int] = {}
        self._turns_ns: dict[str, deque[int]] = {}
        self._now_ns = 0

    def positions(self, now_ns: int, names: Sequence[str], positions: Sequence[float]) -> None:
        """Setpoints as the filter sent them, rad or m; empty: it sends none, and time goes on."""
        self._now_ns = now_ns
        amplitude = self._parameters.amplitude
        for name, q in zip(names, positions, strict=False):
            way = q - self._farthest.setdefault(name, q)
            direction = self._direction.get(name, 0)
            if way * direction >= 0 and direction:
                self._farthest[name] = q
            elif abs(way) >= amplitude:
                if direction:
                    self._turns_ns.setdefault(name, deque(maxlen=self._parameters.reversals)).append(now_ns)
                self._direction[name], self._farthest[name] = (1 if way > 0 else -1), q

    def warning(self) -> str:
        """Which joint; empty: none."""
        for name, turns in self._turns_ns.items():
            recent = self._now_ns - turns[0] <= self._parameters.seconds * 1e9
            if len(turns) == self._parameters.reversals and recent:
                return f"{name} turned round {len(turns)} times within {self._parameters.seconds:g} s"
        return ""
