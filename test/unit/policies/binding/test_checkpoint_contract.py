"""The vectors of a contract."""

from __future__ import annotations

from test.unit.policies.binding.contracts import act, openvla


def test_a_model_without_a_state_has_an_action_alone() -> None:
    assert list(act().vectors()) == ["state", "action"]
    assert list(openvla().vectors()) == ["action"]
