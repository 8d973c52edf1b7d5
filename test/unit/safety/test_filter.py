"""The filter as a whole: what passes, what is bent, what stops, what latches, and what brings it back."""

from __future__ import annotations

import math
from typing import Any

import pytest

from vla_ros.safety import filter as filter_module
from vla_ros.safety.states import State


def moved(home: list[float], joint: int, by: float) -> list[float]:
    return [q + (by if i == joint else 0.0) for i, q in enumerate(home)]


def ramped_sine(home: list[float], joint: int, amplitude: float, w: float, ramp_s: float = 2.0):
    """A sine whose amplitude grows smoothly (with three continuous derivatives), so that it starts from rest."""

    def path(t: float) -> list[float]:
        s = min(1.0, t / ramp_s)
        return moved(home, joint, amplitude * math.sin(w * t) * s**4 * (35 - 84 * s + 70 * s * s - 20 * s**3))

    return path


@pytest.mark.parametrize("joint", range(8))
@pytest.mark.parametrize("w", [0.5, 2.0, 10.0, 60.0])
def test_a_smooth_stream_passes_unchanged(bench: Any, joint: int, w: float) -> None:
    limits = bench.limits[joint]
    home = list(bench.q)
    room = min(home[joint] - limits.lower, limits.upper - home[joint])
    amplitude = 0.6 * min(room, limits.velocity / w, limits.acceleration / w**2, limits.jerk / w**3)
    path = ramped_sine(home, joint, amplitude, w)
    decisions = bench.stream(path, 3.0)
    assert {d.state for d in decisions} == {State.TRACKING}
    assert bench.filter.limited == 0
    # Off the delayed path by no more than the B-spline's sixth of a second difference (and rounding to 1 nrad).
    bound = 0.6 * limits.acceleration * 0.01**2 / 6 * 1.7 + 2e-9
    for k, decision in enumerate(decisions[10:], start=11):
        assert abs(decision.positions[joint] - path(k * 0.004 - 0.022)[joint]) <= bound


def test_outputs_are_the_splines_values_to_the_nanoradian(bench: Any) -> None:
    """Setpoints on a straight line at constant speed come out on that line, later by the delay."""
    home = list(bench.q)
    bench.stream(ramped_sine(home, 0, 0.0, 1.0), 0.2)
    start = bench.now_ns

    def path(t: float) -> list[float]:
        s = min(1.0, t / 0.5)
        return moved(home, 0, 0.4 * (0.5 * s**4 * (7 - 14 * s + 10 * s * s - 2.5 * s**3) * 0.5 if t < 0.5 else 0.0))

    speed = 0.5

    def line(t: float) -> list[float]:
        # Speed up for 1 s with continuous jerk, then go on at constant speed.
        s = min(1.0, t)
        return moved(home, 0, speed * (s**5 * (7 - 14 * s + 10 * s**2 - 2.5 * s**3) if t < 1 else 0.5 + (t - 1)))

    decisions = bench.stream(line, 2.0)
    late = [(k * 0.004, d) for k, d in enumerate(decisions, start=1) if k * 0.004 > 1.2]
    assert bench.now_ns > start and late
    for t, decision in late:
        assert decision.state is State.TRACKING
        assert decision.positions[0] == pytest.approx(line(t - 0.022)[0], abs=1.5e-9)
