"""Speed scaling: only an arm that executes at full speed is led, and the filter names what it hears."""

from __future__ import annotations

from typing import Any

import pytest

from vla_ros.safety.states import State

UR = {"controller.scaling_topic": "speed_scaling_state_broadcaster/speed_scaling", "controller.scaling_full": 100.0}


@pytest.fixture
def scaled(make_bench: Any) -> Any:
    bench = make_bench(UR)
    bench.tick(60)
    return bench


def test_an_arm_whose_speed_is_not_told_is_not_armed(scaled: Any) -> None:
    done, why = scaled.filter.arm(scaled.now_ns)
    assert not done and "speed_scaling is silent" in why
    scaled.filter.speed_scaling(scaled.now_ns, 100.0)
    assert scaled.filter.arm(scaled.now_ns)[0]


@pytest.mark.parametrize("told", [99.0, 0.0, 1.0, 101.0, float("nan"), float("inf")])
def test_another_speed_latches_and_is_named(scaled: Any, told: float) -> None:
    scaled.filter.speed_scaling(scaled.now_ns, 100.0)
    assert scaled.filter.arm(scaled.now_ns)[0]
    scaled.tick()
    scaled.filter.speed_scaling(scaled.now_ns, told)
    decision = scaled.tick()
    assert (decision.state, decision.verdict.rule) == (State.PROTECTIVE_STOP, "speed_scaling")
    assert "set its speed slider to 100 %" in decision.verdict.reason
    assert scaled.filter.code(decision.verdict) == 63


def test_silence_latches(scaled: Any) -> None:
    scaled.filter.speed_scaling(scaled.now_ns, 100.0)
    assert scaled.filter.arm(scaled.now_ns)[0]
    assert scaled.tick(240).state is State.HOLDING
    assert scaled.tick(20).state is State.PROTECTIVE_STOP


def test_without_the_topic_nothing_is_watched(bench: Any) -> None:
    assert bench.tick(300).state is State.HOLDING
