"""Setpoints become targets: on their own stamps, smooth, inside what the setpoints span, settled at the end."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest

from vla_ros.safety.command.setpoint_spline import CAPACITY, SetpointSpline

T = 10_000_000


def played(points: list[int], times: list[int], start: int = 0) -> list[int]:
    playback = SetpointSpline([start], T)
    for i, point in enumerate(points):
        playback.add(i * T, [point])
    return [playback.target(time)[0] for time in times]


def test_the_spline_is_the_uniform_cubic_one_rounded() -> None:
    points = [0, 400, -300, 10**9, 7, 7, 12_345]
    for time in range(2 * T, 4 * T, 777_777):
        i, u = time // T, Fraction(time % T, T)
        before, here, next_, after = points[i - 1 : i + 3]
        exact = (
            (1 - u) ** 3 * before
            + (3 * u**3 - 6 * u**2 + 4) * here
            + (-3 * u**3 + 3 * u**2 + 3 * u + 1) * next_
            + u**3 * after
        ) / 6
        assert abs(played(points, [time])[0] - exact) <= Fraction(1, 2)


def test_it_enters_from_the_start_and_settles_on_the_newest() -> None:
    times = list(range(-5 * T, 12 * T, 1_000_000))
    targets = played([1000, 1000, 1000], times, start=1000)
    assert set(targets) == {1000}
    targets = played([5000, 5000, 5000], times, start=1000)
    assert targets[0] == 1000
    assert targets[-1] == 5000
    assert all(a <= b for a, b in itertools.pairwise(targets))


def test_before_any_setpoint_it_is_the_start() -> None:
    assert SetpointSpline([3, 4], T).target(0) == [3, 4]


@pytest.mark.parametrize("points", [[0, 100, 200, 300, 400], [0, 100, 900, -900, 400], [0, 0, 0, 0, 1000]])
def test_nothing_is_extrapolated(points: list[int]) -> None:
    """With the stream cut after each setpoint, targets stay between the last three that are known."""
    for known in range(3, len(points) + 1):
        times = list(range((known - 2) * T, (known + 3) * T, 500_000))
        targets = played(points[:known], times)
        last = points[known - 3 : known]
        assert min(last) <= min(targets) and max(targets) <= max(last)
        assert targets[-1] == points[known - 1]


def test_a_setpoint_that_arrives_late_bends_the_path_little() -> None:
    """At u of the stretch, by u^3 / 6 of the second difference."""
    points = [0, 0, 0, 6000]
    on_time = played(points, [T + 2 * T // 5])[0]
    late = played(points[:3], [T + 2 * T // 5])[0]
    assert on_time - late == pytest.approx(0.4**3 / 6 * 6000, abs=1)


def test_a_stream_inside_its_limits_stays_inside_them_from_tick_to_tick() -> None:
    """The k-th differences of targets never exceed those of setpoints, scaled to the shorter interval."""
    points = [round(10**9 * (i / 50) ** 4) if i < 50 else 10**9 for i in range(60)]
    for h in (4_000_000, 3_333_333, 2_000_000):
        differences, targets = points, played(points, list(range(2 * T, 57 * T, h)))
        for order in (1, 2, 3):
            differences = [b - a for a, b in itertools.pairwise(differences)]
            targets = [b - a for a, b in itertools.pairwise(targets)]
            allowed = max(map(abs, differences)) * (h / T) ** order + 2**order / 2
            assert max(map(abs, targets)) <= allowed


def test_gaps_and_jitter_in_the_stamps_change_no_speed() -> None:
    """p_i = v t_i comes out as v t, however the t_i are spaced."""
    draw, playback, due, dues = random.Random(0), SetpointSpline([0], T), 0, []
    for _ in range(60):
        dues.append(due)
        due += T + draw.choice([-4_000_000, -1, 0, 0, 0, 2_500_000, T, 3 * T])
    for time in dues:
        playback.add(time, [3 * time])
    for time in range(dues[3], dues[-1], 1_234_567):
        assert abs(playback.target(time)[0] - 3 * time) <= 1


def test_a_late_setpoint_does_not_turn_the_target_back() -> None:
    playback, sent, targets = SetpointSpline([0], T), 0, []
    for time in range(0, 40 * T, 400_000):
        while sent * T <= time - (T // 2 if sent % 3 == 0 else 0):
            playback.add(sent * T, [sent * 1000])
            sent += 1
        targets.append(playback.target(time - 2 * T)[0])
    assert all(0 <= b - a <= 100 for a, b in itertools.pairwise(targets))


@pytest.mark.parametrize("gap", [1, T // 3, 3 * T])
def test_uneven_stamps_are_continuous(gap: int) -> None:
    playback = SetpointSpline([0], T)
    due = 0
    for i in range(8):
        playback.add(due, [i * 1000])
        due += gap if i == 4 else T
    targets = [playback.target(time)[0] for time in range(0, due + T, 100_000)]
    largest = 1100 if gap == 1 else 100
    assert all(0 <= b - a <= largest for a, b in itertools.pairwise(targets))
    assert targets[-1] == 7000


def test_memory_is_bounded() -> None:
    playback = SetpointSpline([0], T)
    for i in range(10 * CAPACITY):
        playback.add(i, [i])
    assert len(playback.points) == len(playback.due_ns) == CAPACITY
    assert playback.target(10**12) == [10 * CAPACITY - 1]


def test_a_setpoint_that_is_not_later_does_not_continue() -> None:
    playback = SetpointSpline([0], T)
    assert playback.continues(5)
    playback.add(5, [1])
    assert playback.continues(6)
    assert not playback.continues(5)
    assert not playback.continues(4)
