"""Percentiles and period errors are what they say."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from vla_ros.time import NS_PER_S, Rate, StampedBuffer, Window, percentile

MS = NS_PER_S // 1000


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(0.0, 1.0))
def test_percentile_is_the_smallest_value_that_covers_its_share(values: list[float], share: float) -> None:
    result = percentile(values, share)
    assert result in values
    assert sum(value <= result for value in values) >= share * len(values) - 1e-9


def test_an_empty_window_says_nan() -> None:
    assert math.isnan(percentile([], 0.5))
    assert math.isnan(Window().summary().p99)
    assert math.isnan(Rate(0.01, 0.005).hz)


def test_a_window_forgets() -> None:
    window = Window(2)
    for value in (9.0, 1.0, 2.0):
        window.add(value)
    assert window.summary().largest == 2.0
    assert window.summary().count == 2


def test_a_moment_is_looked_up_by_its_stamp() -> None:
    moments: StampedBuffer[str] = StampedBuffer(3)
    assert moments.nearest(5) is None
    for stamp_ns, value in ((1, "forgotten"), (10, "a"), (20, "b"), (20, "c")):
        moments.add(stamp_ns, value)
    assert [moments.nearest(stamp_ns) for stamp_ns in (0, 14, 16, 99)] == ["a", "a", "c", "c"]
    assert moments.around(9) is None
    assert moments.around(10) == ((10, "a"), (20, "b")) and moments.around(15) == ((10, "a"), (20, "b"))
    assert moments.around(20) == ((20, "c"), (20, "c")) == moments.around(99)


def test_a_late_tick_is_counted_with_its_error() -> None:
    rate = Rate(period_s=0.010, tolerance_s=0.005)
    for now_ms in (0, 10, 20, 36, 40):
        rate.tick(now_ms * MS)
    assert rate.ticks == 5
    assert rate.misses == 2  # 16 ms, and the 4 ms that made up for it
    assert rate.hz == 100.0
    assert math.isclose(rate.errors().largest, 0.006)
    assert math.isclose(rate.errors().p50, 0.0, abs_tol=1e-12)


def test_a_pause_is_no_miss() -> None:
    rate = Rate(period_s=0.010, tolerance_s=0.005)
    for now_ms in (0, 10):
        rate.tick(now_ms * MS)
    rate.pause()
    for now_ms in (500, 510):
        rate.tick(now_ms * MS)
    assert (rate.ticks, rate.misses) == (4, 0)


def test_idle_time_is_not_in_the_rate() -> None:
    rate = Rate(period_s=0.100, tolerance_s=0.050)
    for now_ms in (0, 100):
        rate.tick(now_ms * MS)
    rate.pause()
    assert math.isnan(rate.hz)
    for now_ms in (120_000, 120_100, 120_200):
        rate.tick(now_ms * MS)
    assert rate.hz == 10.0
