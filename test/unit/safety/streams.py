"""Streams of setpoints for the filter's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def moved(home: list[float], joint: int, by: float) -> list[float]:
    return [q + (by if i == joint else 0.0) for i, q in enumerate(home)]


def smooth(t: float) -> float:
    """From 0 to 1 within 1 s with three continuous derivatives."""
    s = min(1.0, max(0.0, t))
    return s**4 * (35 - 84 * s + 70 * s**2 - 20 * s**3)


def line(home: list[float], joint: int, speed: float) -> Callable[[float], list[float]]:
    """Speed up smoothly for 1 s, then go on at constant speed."""

    def path(t: float) -> list[float]:
        s = min(1.0, t)
        return moved(home, joint, speed * (s**5 * (7 - 14 * s + 10 * s**2 - 2.5 * s**3) + max(0.0, t - 1.0)))

    return path


def moving(bench: Any) -> list[float]:
    """Bring joint1 to speed; where the output is then."""
    home = list(bench.q)
    bench.stream(lambda t: [home[0] + 0.8 * t, *home[1:]], 0.6)
    assert abs(bench.decisions[-1].velocities[0]) > 0.7
    return list(bench.q)
