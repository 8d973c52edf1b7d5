"""Faults of the second channel."""

from __future__ import annotations

from test.unit.lab.faults.fake_rig import CASES, injected
from vla_ros.lab.faults.cases.second_channel import STOPPED_S
from vla_ros.lab.faults.graphs import MONITOR_TIMEOUT_S


def test_the_monitor_is_killed_and_nobody_else() -> None:
    assert injected("monitor-killed").calls == [("kill", "safety_monitor")]


def test_it_stands_still_for_longer_than_the_filter_waits() -> None:
    assert injected("monitor-stopped").calls == [("pause", "safety_monitor", STOPPED_S)]
    assert STOPPED_S > 2 * MONITOR_TIMEOUT_S
    assert CASES["monitor-stopped"].stalls


def test_nobody_tries_to_arm_on_the_word_of_the_monitor_that_has_ended() -> None:
    calls = injected("monitor-limits").named("run_for", "call_filter")
    waited_s = sum(call[1] for call in calls[: calls.index(("call_filter", "arm"))])
    assert waited_s > MONITOR_TIMEOUT_S


def test_other_limits_are_put_back() -> None:
    calls = injected("monitor-limits").named("restart_with", "call_filter")
    assert calls[0] == ("restart_with", "safety_monitor", {"table.margin_m": 0.03})
    assert ("call_filter", "arm") in calls
    assert calls[-1] == ("restart_with", "safety_monitor", {})
