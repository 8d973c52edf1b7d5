"""Overspeed: a measured joint that is faster than its output can be."""

from __future__ import annotations

import math
from typing import Any

import pytest

from test.unit.safety.conftest import JOINTS
from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.measured.overspeed import Overspeed
from vla_ros.safety.states import State

LIMIT = 1.25 * 2.0 + 0.02


@pytest.mark.parametrize(("dq", "latches"), [(LIMIT, False), (LIMIT + 1e-6, True), (-10.0, True), (math.nan, False)])
def test_a_joint_is_too_fast_beyond_the_share_of_its_limit_for_20_ms(dq: float, latches: bool) -> None:
    rule, state = Overspeed(parameters(), LIMITS), filter_state()
    state.measured.dq = [dq, 0.0]
    assert rule.check(state, 0) is None
    assert rule.check(state, 19 * MS) is None
    verdict = rule.check(state, 20 * MS)
    assert (verdict is not None) is latches
    if verdict is not None:
        assert (verdict.rule, verdict.joint, verdict.limit) == ("overspeed", "a", LIMIT)


def test_a_joint_may_have_a_tolerance_of_its_own() -> None:
    rule, state = Overspeed(parameters(**{"measured.velocity": [0.0, 4.0]}), LIMITS), filter_state()
    for velocities, latches in (([0.0, 4.0], ""), ([LIMIT, -4.0], ""), ([0.0, -4.1], "b"), ([LIMIT + 0.1, 0.0], "a")):
        state.measured.dq = velocities
        verdicts = [rule.check(state, at * MS) for at in (0, 20)]
        assert (verdicts[-1].joint if verdicts[-1] else "") == latches
        state.measured.overspeed_ns = None


def test_a_single_sample_is_noise() -> None:
    rule, state = Overspeed(parameters(), LIMITS), filter_state()
    for at, dq in enumerate((9.0, 0.0, 9.0, 0.0, 9.0)):
        state.measured.dq = [dq, 0.0]
        assert rule.check(state, at * 15 * MS) is None


def test_an_arm_that_runs_away_is_latched(bench: Any) -> None:
    """With velocities that the driver reports, and its positions still good."""
    speeds = [0.0, 10.0, *[0.0] * 6]
    bench.measure = lambda: bench.filter.joint_state(bench.now_ns, JOINTS, list(bench.q), speeds)
    decision = bench.tick(8)
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None and "joint2 is measured to move at 10.0000" in decision.verdict.reason
