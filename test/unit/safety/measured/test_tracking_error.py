"""Tracking error: how far the measured arm may be from its output."""

from __future__ import annotations

from test.unit.safety.rule_inputs import LIMITS, filter_state, parameters
from vla_ros.safety.measured.tracking_error import TrackingError


def test_a_joint_too_far_from_its_output_is_named() -> None:
    rule, state = TrackingError(parameters(), LIMITS), filter_state()
    state.measured.q = [100_000_000, -50_000_000]
    assert rule.check(state, 0) is None
    state.measured.q = [0, -50_000_001]
    verdict = rule.check(state, 0)
    assert verdict is not None
    assert (verdict.rule, verdict.joint, verdict.limit) == ("tracking_error", "b", 0.05)
