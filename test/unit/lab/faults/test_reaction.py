"""Every way in which a reaction can differ from what is expected is found and said."""

from __future__ import annotations

import dataclasses
import math

import pytest

from test.unit.lab.faults.fake_rig import CASES
from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.reaction import ENDED, MOVING, ExpectedReaction, ObservedReaction, differences

GOOD = ObservedReaction(
    states=["TRACKING", "STOPPING", "HOLDING"], rules=["schema"], rest_s=0.2, velocity=0.5, acceleration=0.5
)
EXPECTED = ExpectedReaction(("schema",), rest_s=0.3)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"rules": ["continuity"]}, "none of schema acted, but continuity"),
        ({"states": ["TRACKING"]}, "ended TRACKING, not HOLDING"),
        ({"rest_s": 0.31}, "at rest after 0.310 s; 0.300 s are allowed"),
        ({"rest_s": math.nan}, "not at rest"),
        ({"velocity": 1.01}, "velocity at 1.010"),
        ({"acceleration": math.nan}, "acceleration at nan"),
        ({"outside": 0.1}, "outside the position limits"),
        ({"problem": "aborted: x"}, "aborted"),
    ],
)
def test_each_expectation_can_fail(change: dict[str, object], text: str) -> None:
    assert differences(EXPECTED, GOOD) == []
    (wrong,) = differences(EXPECTED, dataclasses.replace(GOOD, **change))  # type: ignore[arg-type]
    assert text in wrong


@pytest.mark.parametrize(
    ("estops_s", "wrong"),
    [
        ([0.004] * 99 + [0.019], []),
        ([0.004] * 90 + [0.03] * 10, ["e-stop after 30.0 ms (p99); 20 ms are allowed"]),
        ([], ["the e-stop was not timed"]),
    ],
)
def test_an_estop_that_takes_long_is_said(estops_s: list[float], wrong: list[str]) -> None:
    expected = dataclasses.replace(EXPECTED, estop_s=0.02)
    assert differences(expected, dataclasses.replace(GOOD, estops_s=estops_s)) == wrong
    assert "each e-stop brakes within 20 ms (p99)" in expected.text()


def test_an_answer_and_going_on_can_be_asked_for() -> None:
    on = ObservedReaction(states=["TRACKING"], answers=["all well"])
    assert differences(ExpectedReaction(ends=MOVING, goes_on=True, says="well"), on) == []
    assert differences(ExpectedReaction(ends=MOVING, says="ill"), on) == ["nobody said 'ill', but all well"]
    assert differences(ExpectedReaction(ends=MOVING, goes_on=True), dataclasses.replace(on, rest_s=0.1))


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_is_expected_can_be_said_and_can_fail(case: FaultCase) -> None:
    expected = case.expected
    assert expected.text() and case.fault
    assert expected.goes_on != (not math.isnan(expected.rest_s)) or expected.says or expected.rules


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (ExpectedReaction(rest_s=0.3), "at rest within 300 ms, HOLDING"),
        (ExpectedReaction(ends=MOVING, goes_on=True), "goes on"),
        (ExpectedReaction(ends=ENDED, says="no URDF"), "does not start, says “no URDF”"),
        (ExpectedReaction(ends=MOVING), "inside the limits"),
    ],
)
def test_the_reaction_in_words(expected: ExpectedReaction, text: str) -> None:
    assert expected.text() == text


def test_states_and_rules_are_kept_when_they_change() -> None:
    observed = ObservedReaction()
    for state, rule in (
        ("TRACKING", ""),
        ("TRACKING", "fence"),
        ("LIMITING", "fence"),
        ("", ""),
        ("TRACKING", "table"),
    ):
        observed.add_status(state, rule)
    assert observed.states == ["TRACKING", "LIMITING", "TRACKING"]
    assert observed.rules == ["fence", "table"]


def test_limits_are_judged_unless_the_fault_is_known_to_break_them() -> None:
    observed = ObservedReaction(states=["HOLDING"], velocity=1.5, acceleration=16.0)
    assert len(differences(ExpectedReaction(), observed)) == 2
    expected = ExpectedReaction(limits=False)
    assert differences(expected, observed) == []
    assert expected.text().startswith("may stop hard")
