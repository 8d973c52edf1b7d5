"""Dead-man switch: how long one message counts."""

from __future__ import annotations

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.command.deadman import Deadman


def test_a_switch_is_held_for_the_timeout_and_no_longer() -> None:
    configured = parameters(**{"deadman.timeout_s": 0.1})
    rule, state = Deadman(configured, LIMITS), filter_state()
    assert Deadman.configured(configured) and not Deadman.configured(parameters())
    assert rule.check(state, 0) is not None, "a switch that was never heard is not held"
    state.deadman_ns = 100 * MS
    assert rule.check(state, 200 * MS) is None
    verdict = rule.check(state, 201 * MS)
    assert verdict is not None and verdict.rule == "deadman"
