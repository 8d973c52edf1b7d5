"""Authority: who may command, in which state, and that each input has one publisher."""

from __future__ import annotations

import dataclasses

import pytest

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.command.authority import InputAuthority, SetpointAuthority, SourceAuthority
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.states import State

GOOD = Setpoint("policy", "policy", 7, 5_000 * MS, 1 * MS, 900 * MS, ["a", "b"], [0.5, 0.01])


def changed(**changes: object) -> Setpoint:
    return dataclasses.replace(GOOD, **changes)


@pytest.mark.parametrize("state", [State.DISARMED, State.PROTECTIVE_STOP, State.ESTOP])
def test_nobody_commands_a_disarmed_or_latched_arm(state: State) -> None:
    verdict = SetpointAuthority(parameters(), LIMITS).check(GOOD, filter_state(state))
    assert verdict is not None
    assert verdict.rule == "authority"
    assert "vla/arm" in verdict.reason


def test_authority_of_the_sources() -> None:
    rule = SetpointAuthority(parameters(), LIMITS)
    override = changed(channel="override", source="override")
    assert rule.check(GOOD, filter_state(State.HOLDING)) is None
    assert rule.check(GOOD, filter_state(State.TRACKING, followed="policy")) is None
    assert rule.check(override, filter_state(State.TRACKING, followed="policy")) is None
    assert rule.check(GOOD, filter_state(State.STOPPING, followed="override")) is not None
    assert rule.check(GOOD, filter_state(State.DISARMING, followed="policy")) is not None
    assert rule.check(changed(source=""), filter_state()) is not None
    assert rule.check(changed(source="override"), filter_state()) is not None


def test_of_two_publishers_neither_is_followed() -> None:
    two = filter_state(followed="policy", policy=("/a", "/b"))
    for verdict in (
        SetpointAuthority(parameters(), LIMITS).check(GOOD, two),
        SourceAuthority(parameters(), LIMITS).check(two, 0),
    ):
        assert verdict is not None and verdict.reason == "2 publishers for policy: /a, /b; stop all but one"
    assert InputAuthority(parameters(), LIMITS).check(two, 0) is None


@pytest.mark.parametrize(
    "channel",
    [
        *("heartbeat", "deadman", "enabling", "reduced", "obstacle", "speed_scale", "safety_monitor"),
        *("controller", "gripper", "controller_state", "speed_scaling"),
    ],
)
def test_every_input_has_one_publisher(channel: str) -> None:
    rule = InputAuthority(parameters(), LIMITS)
    assert rule.check(filter_state(**{channel: ("/a",)}), 0) is None
    assert rule.check(filter_state(**{channel: ("/a", "/b")}), 0) is not None
