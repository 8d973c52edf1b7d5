"""Controllers that are off, refuse, or do not follow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.measured.controller_state import ControllerState, update_controller_state
from vla_ros.safety.states import State

TOPIC = "arm/controller_state"


def told(state: Any, **changes: Any) -> Any:
    values = {"receive_ns": 0, "names": ["b", "a", "c"], "reference": [0.01, 0.5, 9.0], "error": [0.0] * 3}
    update_controller_state(state, ["a", "b"], **{**values, "controller": TOPIC, "speed_scaling": 1.0, **changes})
    return state


def rule() -> ControllerState:
    return ControllerState(parameters(), LIMITS)


def at_work() -> Any:
    return filter_state(State.TRACKING, q=(500_000_000, 10_000_000))


def test_a_controller_that_follows_and_one_that_says_nothing_at_all() -> None:
    assert rule().check(at_work(), 10**12) is None
    assert rule().check(told(at_work()), 500 * MS) is None
    assert rule().check(told(at_work(), speed_scaling=0.0), 0) is None
    assert told(at_work(), names=["x"], reference=[0.0], error=[0.0]).controllers == {}


@pytest.mark.parametrize(
    ("changes", "now_ns", "text"),
    [
        ({}, 501 * MS, "arm/controller_state is silent for 0.50 s: the controller is off"),
        ({"speed_scaling": 0.5}, 0, "executes at 0.5 of the speed"),
        ({"speed_scaling": 1.01}, 0, "executes at 1.01 of the speed"),
        ({"error": [0.0, 0.11, 0.0]}, 0, "a is 0.1100 from where its controller leads it; 0.1000 is tolerated"),
        ({"error": [-0.06, 0.0, 0.0]}, 0, "b is 0.0600 from where"),
        ({"reference": [0.01, 0.27, 0.0]}, 0, "a is 0.2300 from what was sent: its controller does not follow; 0.2200"),
        ({"reference": [0.01, math.nan, 0.0]}, 0, "holds a number that is not finite"),
        ({"speed_scaling": math.inf}, 0, "holds a number that is not finite"),
        ({"error": [0.0, 0.0]}, 0, "names 3 joints, 3 references and 2 errors"),
        ({"names": ["a", "a", "b"]}, 0, "names 3 joints"),
    ],
)
def test_what_latches(changes: dict[str, Any], now_ns: int, text: str) -> None:
    verdict = rule().check(told(at_work(), **changes), now_ns)
    assert verdict is not None
    assert text in verdict.reason
    assert verdict.rule == "controller_state"


def test_a_newer_state_counts() -> None:
    state = told(told(at_work(), error=[0.0, 1.0, 0.0]), receive_ns=600 * MS)
    assert rule().check(state, 1000 * MS) is None
    assert rule().check(told(state, receive_ns=600 * MS, error=[]), 1000 * MS) is not None


def test_the_age_of_a_state_counts_for_its_reference_and_not_for_its_error() -> None:
    """The output goes on while a host stalls: 2 rad/s for 0.1 s are 0.2 rad."""
    behind = told(at_work(), reference=[0.01, 0.10, 0.0])
    assert "0.4000 from what was sent" in rule().check(behind, 80 * MS).reason
    assert rule().check(behind, 100 * MS) is None
    assert rule().check(told(at_work(), error=[0.0, 0.11, 0.0]), 400 * MS) is not None


def test_states_may_be_left_unheeded() -> None:
    assert not ControllerState.configured(parameters(**{"controller.state_timeout_s": 0.0}))
    assert ControllerState.configured(parameters())


def test_a_moving_arm_latches_and_a_silent_controller_is_not_armed(make_bench: Callable[..., Any]) -> None:
    bench = make_bench().armed()

    def follow(reference: float = 0.0) -> None:
        q = [*bench.q]
        q[0] += reference
        bench.filter.controller_state(bench.now_ns, TOPIC, list(bench.parameters.joint_names), q, [0.0] * 8, 1.0)

    for _ in range(50):
        follow()
        bench.tick()
    assert bench.filter.state is State.HOLDING
    bench.tick(130)
    assert bench.filter.state is State.PROTECTIVE_STOP
    assert "the controller is off" in bench.decisions[-1].verdict.reason
    assert bench.filter.reset(bench.now_ns)[0]
    assert "the controller is off" in bench.filter.arm(bench.now_ns)[1]
    follow(3.0)
    assert bench.filter.arm(bench.now_ns)[0], "what it was sent before it was armed counts no more"
    assert bench.tick().state is State.PROTECTIVE_STOP
    assert "does not follow" in bench.decisions[-1].verdict.reason


def test_a_controller_that_takes_nothing_latches(bench: Any) -> None:
    bench.filter.controller_problem("gripper/gripper_cmd rejects a goal")
    decision = bench.tick()
    assert decision.state is State.PROTECTIVE_STOP
    assert (decision.verdict.rule, decision.verdict.reason) == (
        "controller_state",
        "gripper/gripper_cmd rejects a goal",
    )
    assert bench.filter.code(decision.verdict) == 60
