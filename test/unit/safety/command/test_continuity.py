"""Continuity: how far a setpoint may lie from the output."""

from __future__ import annotations

from test.unit.safety.rule_inputs import LIMITS, filter_state, parameters
from vla_ros.safety.command.continuity import Continuity
from vla_ros.safety.command.setpoint import Setpoint


def setpoint(*positions: float, names: tuple[str, ...] = ("a", "b")) -> Setpoint:
    return Setpoint("policy", "policy", 1, 1, 0, 1, names, positions)


def test_it_is_measured_from_the_output() -> None:
    rule = Continuity(parameters(), LIMITS)
    assert rule.check(setpoint(0.2, 0.04), filter_state()) is None
    verdict = rule.check(setpoint(0.0, 0.040000001), filter_state())
    assert verdict is not None
    assert (verdict.rule, verdict.joint, verdict.limit) == ("continuity", "b", 0.04)
    verdict = rule.check(setpoint(-0.200000001, 0.0), filter_state())
    assert verdict is not None
    assert (verdict.joint, verdict.requested, verdict.limit) == ("a", -0.200000001, -0.2)
    assert rule.check(setpoint(-0.200000001, 0.0), filter_state(q=(-1, 0))) is None


def test_a_point_is_in_the_filters_order() -> None:
    rule = Continuity(parameters(), LIMITS)
    assert rule.point(setpoint(0.5, 0.01)) == [500_000_000, 10_000_000]
    assert rule.point(setpoint(0.01, 0.5, names=("b", "a"))) == [500_000_000, 10_000_000]
