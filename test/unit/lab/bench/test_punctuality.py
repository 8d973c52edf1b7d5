"""Every period of the loop is a tick or was skipped."""

from __future__ import annotations

import pytest

from vla_ros.lab.bench import punctuality
from vla_ros.lab.bench.filter_rig import FilterRig, full_configuration, without_rules


def rig() -> FilterRig:
    parameters, urdf = full_configuration()
    return FilterRig(without_rules(parameters, "environment", "self_collision", "effort", "obstacle"), urdf)


def test_ticks_and_skipped_ticks_fill_the_time() -> None:
    measured = punctuality.measure_punctuality(rig(), 0.2)
    assert 48 <= measured.ticks + measured.skipped <= 52
    assert 0 <= measured.wake_median_us <= measured.wake_p99_us <= measured.wake_largest_us
    assert measured.late >= measured.skipped


def test_a_tick_that_takes_five_periods_skips_four(monkeypatch: pytest.MonkeyPatch) -> None:
    made = rig()
    now_ns = [0]
    tick, slow = made.tick, iter([False, False, True])

    def sleep(seconds: float) -> None:
        now_ns[0] += round(seconds * 1e9)

    def slow_tick() -> object:
        now_ns[0] += 5 * made.period_ns if next(slow, False) else 0
        return tick()

    monkeypatch.setattr(punctuality.time, "monotonic_ns", lambda: now_ns[0])
    monkeypatch.setattr(punctuality.time, "sleep", sleep)
    monkeypatch.setattr(made, "tick", slow_tick)
    measured = punctuality.measure_punctuality(made, 0.08)
    assert (measured.ticks, measured.skipped, measured.late) == (16, 4, 4)
