"""Schema: whose numbers they are, and which cannot be meant."""

from __future__ import annotations

import dataclasses
import math

import pytest

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.command.schema import Schema
from vla_ros.safety.command.setpoint import Setpoint

GOOD = Setpoint("policy", "policy", 7, 5_000 * MS, 1 * MS, 900 * MS, ["a", "b"], [0.5, 0.01])


def changed(**changes: object) -> Setpoint:
    return dataclasses.replace(GOOD, **changes)


def test_names_may_come_in_any_order() -> None:
    schema = Schema(parameters(), LIMITS)
    for names, positions in ((["a", "b"], [0.5, 0.01]), (["b", "a"], [0.01, 0.5]), (["a", "b"], [0.5, 0.01])):
        assert schema.check(changed(joint_names=names, positions=positions), filter_state()) is None
    assert schema.check(changed(joint_names=["b", "a"], positions=[0.5, 0.01]), filter_state()) is not None


@pytest.mark.parametrize(
    ("names", "positions", "reason"),
    [
        (["a"], [0.5], "b is named 0 times, not once"),
        ([], [], "a is named 0 times, not once"),
        (["a", "b", "b"], [0.5, 0.01, 0.01], "b is named 2 times, not once"),
        (["a", "b", "c"], [0.5, 0.01, 0.0], "'c' is not a joint of this robot"),
        (["a", "b"], [0.5], "1 positions for 2 joints"),
        (["a", "b"], [0.5, 0.01, 0.0], "3 positions for 2 joints"),
        (["a", "b"], [math.nan, 0.01], "a is nan"),
        (["a", "b"], [0.5, -math.inf], "b is -inf"),
        (["a", "b"], [45.0, 0.01], "a is far outside its range; positions are rad and m, not degrees or mm"),
        (["a", "b"], [0.5, 10.0], "b is far outside its range; positions are rad and m, not degrees or mm"),
    ],
)
def test_what_cannot_be_meant_is_refused(names: list[str], positions: list[float], reason: str) -> None:
    schema = Schema(parameters(), LIMITS)
    verdict = schema.check(changed(joint_names=names, positions=positions), filter_state())
    assert verdict is not None
    assert (verdict.rule, verdict.reason) == ("schema", reason)
    assert schema.check(GOOD, filter_state()) is None


def test_what_is_a_little_outside_is_left_to_the_limits() -> None:
    assert Schema(parameters(), LIMITS).check(changed(positions=[1.3, -0.01]), filter_state()) is None
