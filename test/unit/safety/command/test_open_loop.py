"""Open loop: how long the arm goes on without setpoints, and the filter without ticks."""

from __future__ import annotations

from typing import Any

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.states import State


def test_silence_of_the_source_is_counted_from_the_newest_accepted_setpoint() -> None:
    rule, state = OpenLoop(parameters(), LIMITS), filter_state(followed="policy")
    state.accepted_ns = 100 * MS
    assert rule.check(state, 160 * MS) is None
    verdict = rule.check(state, 161 * MS)
    assert verdict is not None
    assert (verdict.rule, verdict.reason) == ("open_loop", "no setpoint from policy for 0.061 s")


def test_a_stall_is_a_longer_time_without_a_tick() -> None:
    rule, state = OpenLoop(parameters(), LIMITS), filter_state()
    assert rule.stalled(state, 10**12) is None, "the first tick is no stall"
    state.ticked_ns = 100 * MS
    assert rule.stalled(state, 160 * MS) is None
    verdict = rule.stalled(state, 161 * MS)
    assert verdict is not None and "the filter stood still for 0.061 s" in verdict.reason


def test_the_filter_stops_after_silence(bench: Any) -> None:
    assert bench.command(list(bench.q)) is None
    assert bench.tick().state is State.TRACKING
    assert bench.tick(100).state is State.HOLDING
