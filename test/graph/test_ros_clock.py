"""How far the ROS clock is ahead of the monotonic one: the system's, or a simulated one that comes in steps."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from vla_ros.ros.ros_clock import SIMULATED_CLOCK_STEP_NS, RosClock
from vla_ros.safety.trajectory import CLOCK_STEP_NS


def node(simulated: bool, now_ns: list[int]) -> Any:
    """A node whose clock says what stands in the list."""
    clock = SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=now_ns[0]))
    return SimpleNamespace(
        get_clock=lambda: clock, get_parameter=lambda name: SimpleNamespace(value=simulated and name == "use_sim_time")
    )


def test_without_simulated_time_it_is_the_system_clock() -> None:
    clock = RosClock(node(False, [0]))
    assert not clock.simulated and clock.step_ns == CLOCK_STEP_NS
    assert clock.ahead_ns() == pytest.approx(time.time_ns() - time.monotonic_ns(), abs=50_000_000)


def test_a_simulated_clock_that_stands_between_its_steps_does_not_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns, monotonic_ns = [10**9], [5 * 10**9]
    monkeypatch.setattr(time, "monotonic_ns", lambda: monotonic_ns[0])
    clock = RosClock(node(True, now_ns))
    assert clock.simulated and clock.step_ns == SIMULATED_CLOCK_STEP_NS
    assert clock.ahead_ns() == -4 * 10**9
    for _ in range(100):
        monotonic_ns[0] += 1_000_000
        assert clock.ahead_ns() == -4 * 10**9
    now_ns[0] += 100_000_000
    assert clock.ahead_ns() == -4 * 10**9
