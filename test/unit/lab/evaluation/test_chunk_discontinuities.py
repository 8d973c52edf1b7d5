"""Jumps of velocity and acceleration where one chunk follows another."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.lab.evaluation.chunk_discontinuities import DiscontinuityMeter, DiscontinuityStatistics, combine

PERIOD_NS, DT_S = 10_000_000, 0.01
BOTH = np.array([True, True])


def played(points: np.ndarray, part: int, times: np.ndarray | None = None) -> DiscontinuityStatistics:
    meter = DiscontinuityMeter(PERIOD_NS, BOTH)
    for time, point in zip(np.arange(len(points)) if times is None else times, points, strict=True):
        meter.add_setpoint(int(time) * PERIOD_NS, np.array([0.0, point]))
    meter.add_transition(part * PERIOD_NS)
    return meter.statistics()


def test_a_step_is_a_jump_of_velocity_and_a_line_is_none() -> None:
    line = 0.002 * np.arange(40)
    assert played(line, 20).velocity == pytest.approx(0.0, abs=1e-9)
    stepped = line + 0.003 * (np.arange(40) >= 20)
    rough = played(stepped, 20)
    assert rough.seams == 1
    assert rough.velocity == rough.largest_velocity == pytest.approx(0.003 / DT_S)
    assert rough.acceleration == pytest.approx(2 * 0.003 / DT_S**2)
    assert rough.between_velocity == pytest.approx(0.0, abs=1e-9)
    assert played(stepped, 10).velocity == pytest.approx(0.0, abs=1e-9)  # somewhere else than said


def test_only_the_joints_that_count_count() -> None:
    meter = DiscontinuityMeter(PERIOD_NS, np.array([True, False]))
    for k in range(20):
        meter.add_setpoint(k * PERIOD_NS, np.array([0.0, float(k >= 10)]))
    meter.add_transition(10 * PERIOD_NS)
    assert meter.statistics().velocity == 0.0


def test_a_gap_in_the_stream_is_no_jump_and_no_transitions_are_nothing() -> None:
    times = np.array([*range(20), *range(60, 80)])
    points = 0.01 * (np.arange(40) >= 20)
    assert played(points, 20, times).velocity == 0.0
    assert DiscontinuityMeter(PERIOD_NS, BOTH).statistics() == DiscontinuityStatistics()


def test_episodes_are_weighted_by_their_transitions() -> None:
    rough = combine(
        [DiscontinuityStatistics(), DiscontinuityStatistics(1, 0.1, 0.1), DiscontinuityStatistics(3, 0.2, 0.4)]
    )
    assert (rough.seams, rough.largest_velocity) == (4, 0.4)
    assert rough.velocity == pytest.approx(0.175)
    assert combine([]) == DiscontinuityStatistics()
