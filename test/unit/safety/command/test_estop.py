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
    estop.update(state, True, "")
    assert rule.held(state, 0) == "the e-stop is still pressed; release it on vla/estop"
    estop.update(state, False, "")
    assert rule.held(state, 0) == ""


def test_no_button_releases_the_press_of_another() -> None:
    rule, state = EStop(parameters(), LIMITS), filter_state(estop=["/a (01)", "/b (02)"])
    estop.update(state, True, "01")
    estop.update(state, False, "02")
    estop.name_buttons(state)
    assert rule.held(state, 0) == "the e-stop is still pressed by /a (01); release it on vla/estop"
    estop.update(state, False, "01")
    assert rule.held(state, 0) == ""


def test_a_button_that_leaves_while_it_is_pressed_goes_on_holding() -> None:
    rule, state = EStop(parameters(), LIMITS), filter_state(estop=["/a (01)", "/b (02)"])
    estop.update(state, True, "01")
    estop.update(state, True, "02")
    estop.name_buttons(state)
    assert estop.lost_buttons(state) == []
    state.publishers["estop"] = ("/b (02)",)
    estop.name_buttons(state)
    assert estop.lost_buttons(state) == ["01"]
    assert "still pressed by /b (02)" in rule.held(state, 0), "who can release it comes first"
    estop.update(state, False, "02")
    held = rule.held(state, 0)
    assert "still pressed by /a (01), which has left" in held and "vla/release_lost_estop" in held


def test_more_buttons_than_can_be_told_apart_hold_as_one() -> None:
    state = filter_state()
    for button in range(10_000):
        estop.update(state, True, f"{button:032x}")
    assert len(state.estop_buttons) == estop.MOST_BUTTONS + 1
    for button in range(10_000):
        estop.update(state, False, f"{button:032x}")
    assert estop.lost_buttons(state) == [estop.OTHERS]
