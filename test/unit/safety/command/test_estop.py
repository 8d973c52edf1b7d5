"""E-stop: its heartbeat, and what holds the latch."""

from __future__ import annotations

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.command import estop
from vla_ros.safety.command.estop import EStop


def test_the_verdict_says_who_pressed() -> None:
    assert estop.pressed("service vla/estop").reason == "e-stop by service vla/estop"


def test_a_heartbeat_counts_once_it_was_heard() -> None:
    rule, state = EStop(parameters(**{"estop.heartbeat_s": 0.1}), LIMITS), filter_state()
    assert rule.check(state, 10**12) is None
    assert rule.held(state, 10**12) == "no heartbeat yet on vla/estop_heartbeat"
    state.heartbeat_ns = 100 * MS
    assert rule.check(state, 200 * MS) is None
    verdict = rule.check(state, 201 * MS)
    assert verdict is not None and verdict.reason == "no e-stop heartbeat for 0.101 s"
    assert rule.held(state, 201 * MS) == verdict.reason


def test_a_pressed_button_holds_the_latch() -> None:
    rule, state = EStop(parameters(), LIMITS), filter_state()
    assert rule.held(state, 0) == ""
    state.estop_pressed = True
    assert "still pressed" in rule.held(state, 0)
