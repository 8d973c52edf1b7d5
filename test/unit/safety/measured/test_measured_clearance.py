"""Measured clearance: an arm that is not where it was sent may meet something there."""

from __future__ import annotations

import pytest

from test.unit.safety.simulated_arm import OBSTACLE, Arm, forward
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

AWAY = 0.14
"""rad; the tracking error is 0.15."""


BESIDE = Obstacle("cup", "base", "sphere", (0.01,), (0.346, 0.087, 0.506))
"""32 mm from the arm at home, where 20 are kept; in it when the arm leans forward by AWAY."""


def deviate(arm: Arm, by: float) -> None:
    """Let the arm be reported away from the output, at a speed that it can have."""
    begin_ns = arm.now_ns

    def measure() -> None:
        lean = min(by, (arm.now_ns - begin_ns) / 1e9)
        arm.filter.joint_state(arm.now_ns, JOINT_NAMES, forward(arm.q, lean), [0.0] * 8)
        arm.filter.obstacles(arm.now_ns, arm.obstacles or [])

    arm.measure = measure  # type: ignore[method-assign]


@pytest.mark.parametrize(("by", "latches"), [(AWAY, True), (0.05, False)])
def test_a_measured_arm_in_a_margin_latches(by: float, latches: bool) -> None:
    arm = Arm(**{**OBSTACLE, "measured.standstill": [1.0] * 8})
    arm.obstacles = [BESIDE]
    arm.armed().tick(30)
    deviate(arm, by)
    decision = arm.tick(60)
    assert (decision.state is State.PROTECTIVE_STOP) is latches, decision
    if latches:
        assert decision.verdict is not None and decision.verdict.rule == "measured_clearance"
        assert "obstacle 'cup'" in decision.verdict.reason and "nothing was sent there" in decision.verdict.reason


def test_what_comes_to_the_arm_is_no_deviation() -> None:
    """Output and measured arm are inside its margin both."""
    arm = Arm(**OBSTACLE).armed()
    arm.tick(10)
    arm.obstacles = [Obstacle("cup", "base", "sphere", (0.05,), tuple(arm.tool()))]
    assert arm.tick(60).state is State.HOLDING


def test_an_arm_that_is_where_it_was_sent_costs_no_distance() -> None:
    arm = Arm(**OBSTACLE).armed()
    arm.obstacles = [Obstacle(f"{i}", "base", "sphere", (0.05,), (1.5, 0.1 * i, 0.5)) for i in range(16)]
    arm.tick(200)
    constraints = arm.filter._constraints
    assert constraints is not None
    asked: list[int] = []
    constraints.arm.distance = lambda pair: asked.append(pair) or 1.0  # type: ignore[method-assign]
    arm.tick(100)
    assert not asked
    assert arm.filter.values.measured.q == [round(q * 1e9) for q in HOME.tolist()]
