"""Times survive their message, before 1970 too."""

from __future__ import annotations

import pytest
from builtin_interfaces.msg import Duration, Time
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.ros.stamps import duration_message, nanoseconds, time_message


@given(st.integers(-(2**31) * 10**9, (2**31 - 1) * 10**9))
def test_a_time_comes_back(ns: int) -> None:
    message = time_message(ns)
    assert 0 <= message.nanosec < 10**9
    assert nanoseconds(message) == ns


@pytest.mark.parametrize(("seconds", "sec", "nanosec"), [(1.25, 1, 250_000_000), (-0.25, -1, 750_000_000), (0.0, 0, 0)])
def test_a_duration_is_rounded_to_ns(seconds: float, sec: int, nanosec: int) -> None:
    assert duration_message(seconds) == Duration(sec=sec, nanosec=nanosec)
    assert nanoseconds(Time(sec=max(sec, 0), nanosec=nanosec)) == max(sec, 0) * 10**9 + nanosec
