"""Chunks: interpolated smoothly, spliced where they were committed, over at their end."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.control.playback import ChunkPlayer
from vla_ros.control.seam import seam
from vla_ros.policies.contract import Chunk

DT_S, DT_NS = 0.02, 20_000_000


def ramp(start_ns: int, first: float, points: int = 20, slope: float = 0.01) -> Chunk:
    rows = first + slope * np.arange(points)
    return Chunk(np.column_stack([rows, -rows]), DT_S, start_ns)


def test_points_are_met_and_lines_stay_lines() -> None:
    player = ChunkPlayer()
    player.accept(ramp(0, 0.0), 0.01)
    for time_ns in range(DT_NS, 18 * DT_NS, DT_NS // 7):
        assert player.setpoint(time_ns) == pytest.approx([0.01 * time_ns / DT_NS, -0.01 * time_ns / DT_NS])


def test_past_the_end_there_is_nothing() -> None:
    player = ChunkPlayer()
    assert player.setpoint(0) is None
    player.accept(ramp(0, 0.0, points=3), 0.01)
    assert player.setpoint(2 * DT_NS) is not None
    assert player.setpoint(2 * DT_NS + 1) is None
    player.clear()
    assert player.setpoint(0) is None


def test_the_remainder_starts_at_the_next_point() -> None:
    player = ChunkPlayer()
    player.accept(ramp(0, 0.0), 0.01)
    rest = player.remainder(3 * DT_NS + 1)
    assert rest is not None
    assert rest.start_ns == 4 * DT_NS
    assert rest.positions[0] == pytest.approx([0.04, -0.04])
    assert player.remainder(19 * DT_NS) is None


def test_a_slow_worker_commits_more_points_at_once_and_forgets_slowly() -> None:
    player = ChunkPlayer()
    player.accept(ramp(0, 0.0), 0.2)
    slow = player.delay(DT_S)
    assert slow * DT_S >= 0.3
    player.accept(ramp(0, 0.0), 0.01)
    assert slow - 3 <= player.delay(DT_S) <= slow


def test_a_seam_is_measured() -> None:
    smooth = seam(ramp(0, 0.0), ramp(4 * DT_NS, 0.04), 6 * DT_NS)
    assert smooth == pytest.approx((0.0, 0.0), abs=1e-9)
    velocity, acceleration = seam(ramp(0, 0.0), ramp(4 * DT_NS, 0.05), 6 * DT_NS)
    assert velocity == pytest.approx(0.01 / DT_S)
    assert acceleration == pytest.approx(0.01 / DT_S**2)


def test_naive_switching_jumps_an_ensemble_goes_between_and_neither_is_continued() -> None:
    for splicing, expected in (("naive", 0.06), ("ensemble", 0.055)):
        player = ChunkPlayer(splicing)
        player.accept(ramp(0, 0.0), 0.01)
        player.accept(ramp(0, 0.01), 0.01)
        assert player.remainder(0) is None
        point = player.setpoint(5 * DT_NS)
        assert point is not None
        assert point[0] == pytest.approx(expected, abs=1e-4)


def test_an_ensemble_forgets_what_is_over() -> None:
    player = ChunkPlayer("ensemble")
    for start in range(0, 100, 5):
        player.accept(ramp(start * DT_NS, 0.01 * start), 0.01)
    assert len(player._older) <= 4
    point = player.setpoint(100 * DT_NS)
    assert point is not None
    assert point[0] == pytest.approx(1.0)
    player.clear()
    assert player.setpoint(100 * DT_NS) is None
