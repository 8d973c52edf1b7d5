"""Stamps that run are believed, whatever their clock says; all others are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vla_ros.safety.measured.measured_state import ClockState
from vla_ros.safety.measured.stamp_clock import StampClock

MS = 1_000_000
CLOCK = StampClock(tolerance_ns=100 * MS, drift=0.01, probation_ns=500 * MS)


def faults(stamp_ns: Callable[[int], int], count: int = 300) -> list[str]:
    """What is said of messages that arrive every 4 ms; stamp_ns: of the reception."""
    clock = ClockState()
    return [CLOCK.fault(clock, at_ns, stamp_ns(at_ns)) for at_ns in range(10**12, 10**12 + count * 4 * MS, 4 * MS)]


@pytest.mark.parametrize("apart_s", [-900, -0.05, 0, 0.05, 3600, 1.7e9])
def test_a_clock_that_is_off_and_runs_is_believed(apart_s: float) -> None:
    assert not any(faults(lambda at_ns: at_ns + round(apart_s * 1e9)))


@pytest.mark.parametrize("rate", [0.995, 1.005])
def test_a_clock_that_is_a_little_slow_or_fast_is_believed(rate: float) -> None:
    assert not any(faults(lambda at_ns: round(at_ns * rate), count=3000))


def test_delays_that_vary_are_no_fault() -> None:
    assert not any(faults(lambda at_ns: at_ns - (at_ns // (4 * MS) % 5) * 20 * MS // 10))


@pytest.mark.parametrize(
    ("stamp_ns", "text"),
    [
        (lambda at_ns: 0, "header.stamp is zero"),
        (lambda at_ns: -5, "header.stamp is zero"),
        (lambda at_ns: 10**15, "repeats itself"),
        (lambda at_ns: 10**16 - at_ns, "goes back"),
        (lambda at_ns: 10**15 + (at_ns - 10**12) // (4 * MS), "late"),
        (lambda at_ns: 10**15 + (at_ns - 10**12) // 2, "late"),
        (lambda at_ns: 10**15 + 60 * (at_ns - 10**12), "jumps ahead"),
    ],
)
def test_stamps_that_do_not_run_are_not_believed(stamp_ns: Callable[[int], int], text: str) -> None:
    said = faults(stamp_ns)
    assert any(text in fault for fault in said[:60])
    assert all(said[60:]), "and stay so"


def test_after_a_step_the_clock_must_run_for_a_while() -> None:
    for step_s in (-10.0, 10.0):
        begin_ns = 10**12 + 400 * MS
        said = faults(lambda at_ns, s=step_s, b=begin_ns: at_ns + (round(s * 1e9) if at_ns >= b else 0))
        assert not any(said[:100])
        assert all(said[100:225])
        assert not any(said[225:])


def test_a_message_that_was_held_up_is_late_by_that() -> None:
    clock = ClockState()
    for at_ms in (0, 4, 8):
        assert not CLOCK.fault(clock, 10**12 + at_ms * MS, 10**9 + at_ms * MS)
    assert not CLOCK.fault(clock, 10**12 + 60 * MS, 10**9 + 12 * MS)
    assert CLOCK.lateness_ns(clock) == pytest.approx(48 * MS, abs=MS)
    assert "0.1" in CLOCK.fault(clock, 10**12 + 130 * MS, 10**9 + 16 * MS)
