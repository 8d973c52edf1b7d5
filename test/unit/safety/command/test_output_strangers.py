"""The filter alone moves the arm."""

from __future__ import annotations

from typing import Any

import pytest

from test.unit.safety.rule_inputs import LIMITS, filter_state, parameters
from vla_ros.safety.command.authority import GOALS, TOPIC, GoalAuthority, OutputAuthority
from vla_ros.safety.states import State


def test_a_stranger_is_named() -> None:
    rule = OutputAuthority(parameters(), LIMITS)
    assert rule.check(filter_state(**{f"{TOPIC}arm/commands": (), "policy": ("/a", "/b")}), 0) is None
    verdict = rule.check(filter_state(**{f"{TOPIC}arm/commands": ("/rogue (01)",)}), 0)
    assert verdict is not None
    assert verdict.reason == "/rogue (01) publishes on arm/commands, which moves the arm; stop it"


def test_a_strangers_goal_is_named() -> None:
    rule = GoalAuthority(parameters(), LIMITS)
    assert rule.check(filter_state(**{f"{GOALS}arm/follow_joint_trajectory": ()}), 0) is None
    goals = ("goal 0a1b", "client /move_group")
    verdict = rule.check(filter_state(**{f"{GOALS}arm/follow_joint_trajectory": goals}), 0)
    assert verdict is not None
    assert (
        "follow_joint_trajectory has a goal that is not the filter's: goal 0a1b, client /move_group" in verdict.reason
    )


@pytest.mark.parametrize(
    ("channel", "expected"),
    [(f"{TOPIC}arm/commands", State.HOLDING), (f"{GOALS}arm/follow_joint_trajectory", State.PROTECTIVE_STOP)],
)
def test_a_stranger_stops_the_arm_and_refuses_arming(bench: Any, channel: str, expected: State) -> None:
    bench.filter.publishers(channel, ["/rogue (01)"])
    bench.tick(3)
    assert bench.filter.state is expected
    assert bench.decisions[-1].verdict.rule == "authority"
    assert "/rogue (01)" in bench.decisions[-1].verdict.reason
    bench.filter.disarm()
    bench.tick()
    bench.filter.reset(bench.now_ns)
    done, text = bench.filter.arm(bench.now_ns)
    assert not done and "/rogue (01)" in text
    bench.filter.publishers(channel, [])
    assert bench.filter.arm(bench.now_ns)[0]
