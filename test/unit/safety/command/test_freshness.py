"""Freshness: which stamps are refused, and how the offset between the clocks is held."""

from __future__ import annotations

import dataclasses

import pytest

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.command.freshness import STEP_NS, Freshness, due_ns
from vla_ros.safety.command.setpoint import Setpoint

GOOD = Setpoint("policy", "policy", 7, 5_000 * MS, 1 * MS, 900 * MS, ["a", "b"], [0.5, 0.01])


def changed(**changes: object) -> Setpoint:
    return dataclasses.replace(GOOD, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stamp_ns": 0}, "header.stamp is zero"),
        ({"age_ns": 101 * MS}, "the stamp is 0.101 s old"),
        ({"age_ns": -51 * MS}, "the stamp lies 0.051 s ahead"),
    ],
)
def test_old_early_and_missing_stamps_are_refused(changes: dict[str, int], reason: str) -> None:
    verdict = Freshness(parameters(), LIMITS).check(changed(**changes), filter_state())
    assert verdict is not None
    assert verdict.rule == "freshness"
    assert reason in verdict.reason


def test_stamps_up_to_the_bounds_are_accepted() -> None:
    rule = Freshness(parameters(), LIMITS)
    assert rule.check(changed(age_ns=100 * MS), filter_state()) is None
    assert rule.check(changed(age_ns=-50 * MS), filter_state()) is None


def test_jitter_of_the_clocks_is_averaged_and_a_step_is_followed() -> None:
    rule, state = Freshness(parameters(), LIMITS), filter_state()

    def due(setpoint: Setpoint) -> int:
        rule.accepted(setpoint, state)
        return due_ns(setpoint, state)

    assert due(GOOD) == 899 * MS
    later = changed(stamp_ns=GOOD.stamp_ns + 10 * MS, receive_ns=GOOD.receive_ns + 10 * MS, age_ns=MS - 6400)
    assert due(later) == 909 * MS + 100
    stepped = changed(stamp_ns=1, age_ns=MS)
    assert abs(GOOD.stamp_ns - stepped.stamp_ns) > STEP_NS
    assert due(stepped) == 899 * MS
