"""Two summaries: equal for equal limits, and a difference names the limit."""

from __future__ import annotations

import pytest

from test.unit.safety.simulated_arm import URDF, parameters
from vla_ros.oracle.oracle import Oracle
from vla_ros.safety.joint.joint_limits import joint_limits
from vla_ros.safety.limits_summary import difference, limits_summary


def summary(**changes: object) -> str:
    made = parameters(**changes)
    joints = joint_limits(URDF, made)
    return limits_summary([(j.name, j.lower, j.upper, j.velocity, j.acceleration, j.jerk) for j in joints], made)


def test_the_oracle_reads_the_same_limits_from_the_same_files() -> None:
    made = parameters(**{"limits.scale": [0.3] * 8})
    bounds = Oracle(URDF, made).bounds
    theirs = [(name, b.lower, b.upper, b.velocity, b.acceleration, b.jerk) for name, b in bounds.items()]
    assert limits_summary(theirs, made) == summary(**{"limits.scale": [0.3] * 8})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"table.margin_m": 0.01}, "table.margin_m: 0.01"),
        ({"fence.planes": [1.0, 0.0, 0.0, 0.6]}, "fence.planes: 1 0 0 0.6"),
        ({"limits.scale": [0.5] * 8}, "joint1 velocity: 1.0875"),
        ({"self_collision.allowed": []}, "self_collision.allowed: "),
        ({"period_s": 0.005}, "period_s: 0.005"),
    ],
)
def test_a_difference_is_named(changes: dict[str, object], named: str) -> None:
    assert f"it holds '{named}'" in difference(summary(), summary(**changes))


def test_what_no_output_can_break_is_not_compared() -> None:
    assert difference(summary(), summary(**{"fence.slow_m": 0.2, "obstacle.timeout_s": 0.3})) == ""
