"""Chunks: interpolated smoothly, joined at their prefix, over at their end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vla_ros.control.chunk_player import FINISH_S, ChunkPlayer
from vla_ros.policies.contract import MOTION_ROWS, Chunk, JointState

DT_S, DT_NS = 0.02, 20_000_000
MOVING = JointState(0, np.array([0.0, 1.0]), np.array([0.5, 0.0]))


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


def test_the_next_chunk_goes_on_from_the_next_point() -> None:
    player = ChunkPlayer()
    player.accept(ramp(0, 0.0), 0.01)
    rest = player.anchor(3 * DT_NS + 1, MOVING)
    assert rest is not None
    assert rest.start_ns == 4 * DT_NS
    assert rest.positions[0] == pytest.approx([0.04, -0.04])
    assert player.anchor(19 * DT_NS, MOVING) is None


def test_a_slow_worker_commits_more_points_at_once_and_forgets_slowly() -> None:
    player = ChunkPlayer()
    player.accept(ramp(0, 0.0), 0.2)
    slow = player.prefix_length(DT_S)
    assert slow * DT_S >= 0.3
    player.accept(ramp(0, 0.0), 0.01)
    assert slow - 3 <= player.prefix_length(DT_S) <= slow


def test_however_quick_a_worker_is_velocity_and_acceleration_go_on() -> None:
    player = ChunkPlayer()
    for _ in range(50):
        player.accept(ramp(0, 0.0), 0.0)
    assert player.prefix_length(DT_S) == MOTION_ROWS
    assert ChunkPlayer("naive").prefix_length(DT_S) == 0


def test_chunks_that_come_one_after_the_other_before_the_same_point_keep_the_speed() -> None:
    player = ChunkPlayer()
    player.accept(ramp(0, 0.0), 0.01)
    for _ in range(3):
        player.accept(replace(ramp(4 * DT_NS, 0.04), prefix_length=3), 0.01)
        for time_ns in range(3 * DT_NS, 6 * DT_NS, DT_NS // 7):
            assert player.setpoint(time_ns) == pytest.approx([0.01 * time_ns / DT_NS, -0.01 * time_ns / DT_NS])


def test_naive_switching_jumps_an_ensemble_goes_between_and_both_go_on_from_the_measured_arm() -> None:
    for transition, expected in (("naive", 0.06), ("ensemble", 0.055)):
        player = ChunkPlayer(transition)
        player.accept(ramp(0, 0.0), 0.01)
        player.accept(ramp(0, 0.01), 0.01)
        measured = player.anchor(6 * DT_NS, MOVING)
        assert measured is not None and measured.start_ns == 6 * DT_NS
        assert measured.positions == pytest.approx(np.array([[0.0, 1.0], [0.01, 1.0], [0.02, 1.0]]))
        assert player.prefix_length(DT_S) == 0
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


def test_finishing_comes_to_rest_along_the_path_without_a_jump() -> None:
    player = ChunkPlayer()
    player.accept(ramp(0, 0.0, points=40), 0.01)
    begin_ns = 5 * DT_NS
    played = [player.setpoint(begin_ns)]
    for time_ns in range(begin_ns, begin_ns + 50 * DT_NS, DT_NS // 2):
        point = player.finish(time_ns)
        if point is None:
            break
        assert player.finishing
        played.append(point)
    path = np.array(played)[1:, 0]
    speed = np.diff(path) / (DT_S / 2)
    full = 0.01 / DT_S
    assert speed[0] == pytest.approx(full, rel=0.01) and abs(speed[-1]) < 0.01 * full
    assert np.all(np.diff(speed) < 1e-9)
    assert np.abs(np.diff(speed)).max() / (DT_S / 2) < 1.01 * 1.5 * full / FINISH_S
    assert path[-1] - path[0] == pytest.approx(full * FINISH_S / 2, rel=0.01)
    assert player.chunk is None and not player.finishing


def test_finishing_stays_on_a_chunk_that_ends_soon() -> None:
    player = ChunkPlayer()
    player.accept(ramp(0, 0.0, points=6), 0.01)
    last = [player.finish(time_ns) for time_ns in range(3 * DT_NS, 7 * DT_NS, DT_NS // 4)]
    assert last[15] is not None and last[15][0] == pytest.approx(0.05, rel=0.01)
    assert player.finish(20 * DT_NS) is None


def test_nothing_is_left_to_finish_without_a_chunk_or_before_it_begins() -> None:
    player = ChunkPlayer()
    assert player.finish(0) is None
    player.accept(ramp(DT_NS, 0.0), 0.01)
    assert player.finish(0) is None and player.chunk is None


def test_a_curve_between_points_never_overshoots_them() -> None:
    rng = np.random.default_rng(0)
    positions = np.cumsum(rng.normal(0, 0.02, (40, 3)) * (rng.random((40, 3)) < 0.6), 0)
    player = ChunkPlayer()
    player.accept(Chunk(positions, DT_S, 0), 0.01)
    for time_ns in range(0, 39 * DT_NS, DT_NS // 9):
        row = time_ns // DT_NS
        point = player.setpoint(time_ns)
        ends = positions[[row, row + 1]]
        assert (point >= ends.min(0) - 1e-12).all() and (point <= ends.max(0) + 1e-12).all()
