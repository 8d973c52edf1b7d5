"""The files of examples/03_new_arm.md: the filter arms with them, and the first motions pass it unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.bringup.graph import Process, bringup
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.resources import share
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.safety_parameters import SafetyFilterParameters

EXAMPLES = share() / "examples"
HOME = [0.0, -1.2, 1.8, -2.2, -1.57, 0.0]  # rad; tool down, 0.24 m above the table
TICK_NS = 4_000_000
SETTLE_TICKS = 52
"""0.2 s: so long joint states must be consistent before the arm is armed."""


def processes(robot: str) -> dict[str, Process]:
    overrides = {
        node: {"scripted.plan": str(EXAMPLES / "03_new_arm_motion.yaml")} for node in ("planner", "action_expert")
    }
    return {process.name: process for process in bringup(robot=robot, policy="scripted", overrides=overrides)}


@pytest.fixture
def safety() -> SafetyFilter:
    flat = processes(str(EXAMPLES / "03_new_arm.yaml"))["safety_filter"].parameters
    parameters = from_mapping(SafetyFilterParameters, nested(flat))
    return SafetyFilter.from_urdf(parameters, (EXAMPLES / "03_new_arm.urdf").read_text())


def measure(safety: SafetyFilter, now_ns: int, q: list[float]) -> None:
    safety.joint_state(now_ns, [limits.name for limits in safety.limits], q, [0.0] * len(q))


def test_the_filter_arms_and_holds(safety: SafetyFilter) -> None:
    for tick in range(SETTLE_TICKS):
        measure(safety, tick * TICK_NS, HOME)
    armed, why = safety.arm(SETTLE_TICKS * TICK_NS)
    assert armed, why
    decision = safety.tick((SETTLE_TICKS + 1) * TICK_NS)
    assert decision.positions == pytest.approx(HOME)


def test_an_arm_below_the_fence_is_not_armed(safety: SafetyFilter) -> None:
    below = [0.0, 0.6, 0.6, -2.2, -1.57, 0.0]
    for tick in range(SETTLE_TICKS):
        measure(safety, tick * TICK_NS, below)
    armed, why = safety.arm(SETTLE_TICKS * TICK_NS)
    assert not armed and "fence" in why


def test_a_limit_that_is_left_out_is_named(tmp_path: Path) -> None:
    text = (EXAMPLES / "03_new_arm.yaml").read_text()
    file = tmp_path / "my_arm.yaml"
    file.write_text("\n".join(line for line in text.splitlines() if "jerk: [" not in line))
    with pytest.raises(ParameterError, match=r"safety_filter\.limits\.jerk"):
        processes(str(file))
