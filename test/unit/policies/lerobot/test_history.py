"""The memory of a policy: observations at the checkpoint's own spacing, whatever the planner's rate."""

from __future__ import annotations

import pytest

from vla_ros.policies.lerobot.history import KEPT, ObservationHistory

MS = 1_000_000


def test_the_first_observation_stands_for_what_came_before() -> None:
    history: ObservationHistory[str] = ObservationHistory(3, 10.0)
    assert history.add(0, "a") == ["a", "a", "a"]
    assert history.add(100 * MS, "b") == ["a", "a", "b"]
    assert history.add(200 * MS, "c") == ["a", "b", "c"]
    assert history.add(300 * MS, "d") == ["b", "c", "d"]


def test_the_spacing_is_the_checkpoints_not_the_planners() -> None:
    history: ObservationHistory[int] = ObservationHistory(2, 10.0)
    for stamp_ms in range(0, 1000, 20):
        seen = history.add(stamp_ms * MS, stamp_ms)
        assert seen == [max(stamp_ms - 100, 0), stamp_ms]


def test_the_nearest_is_taken_where_none_is_of_that_time() -> None:
    history: ObservationHistory[str] = ObservationHistory(2, 30.0)
    history.add(0, "a")
    assert history.add(100 * MS, "b") == ["b", "b"]  # 67 ms: nearer to 100 than to 0
    assert history.add(160 * MS, "c") == ["b", "c"]  # 127 ms: 27 from b, 33 from c


def test_a_clock_that_goes_back_and_a_reset_clear_it() -> None:
    history: ObservationHistory[str] = ObservationHistory(2, 10.0)
    history.add(500 * MS, "a")
    assert history.add(100 * MS, "b") == ["b", "b"]
    history.clear()
    assert history.add(200 * MS, "c") == ["c", "c"]


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_what_is_never_asked_for_is_dropped(steps: int) -> None:
    history: ObservationHistory[int] = ObservationHistory(steps, 10.0)
    for number in range(1000):
        seen = history.add(number * 10 * MS, number)
    assert len(seen) == steps
    assert len(history._values) <= 10 * (steps - 1) + 2 <= KEPT
