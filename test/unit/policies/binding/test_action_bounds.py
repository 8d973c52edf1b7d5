"""What an action may be, by statistics of any kind or by the robot's limits, and which unit explains what it is not."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.policies.binding.contracts import HOME, JOINT_NAMES, ROBOT, statistics
from vla_ros.policies.binding.action_bounds import ActionBounds
from vla_ros.policies.binding.action_mapping import ActionFault
from vla_ros.policies.binding.bound_values import BoundValue
from vla_ros.policies.binding.checkpoint_contract import VectorSpec
from vla_ros.policies.binding.robot_joints import RobotJoints

JOINTS = RobotJoints(ROBOT)
VALUES = [BoundValue(name, index) for index, name in enumerate(JOINT_NAMES)]


@pytest.mark.parametrize("kept", [("min", "max"), ("q01", "q99"), ("mean", "std")])
def test_any_statistics_bound_an_action(kept: tuple[str, ...]) -> None:
    found = statistics(HOME - 0.1, HOME + 0.1)
    bounds = ActionBounds(VectorSpec((), 8, {name: found[name] for name in kept}), VALUES, JOINTS, 20.0)
    assert bounds.centre == pytest.approx(HOME)
    bounds.check(HOME[None] + 19 * bounds.half)
    with pytest.raises(ActionFault, match="21 times beyond"):
        bounds.check(HOME[None] + 21 * bounds.half)


def test_outliers_of_the_data_widen_what_quantiles_say() -> None:
    found = statistics(HOME - 0.1, HOME + 0.1)
    found["max"] = HOME + 1.0
    bounds = ActionBounds(VectorSpec((), 8, found), VALUES, JOINTS, 2.0)
    bounds.check(HOME[None] + 1.2)


def test_without_statistics_the_robots_limits_bound_it() -> None:
    bounds = ActionBounds(VectorSpec((), 8), VALUES, JOINTS, 20.0)
    assert bounds.half == pytest.approx((JOINTS.upper - JOINTS.lower) / 2)
    with pytest.raises(ActionFault, match="degrees where radians are expected"):
        bounds.check(np.degrees(JOINTS.upper)[None] * np.array([1.0] * 7 + [0.0]))
    tool = [BoundValue("tool.x", component="x", scale=0.001), BoundValue("tool.roll", component="roll")]
    assert ActionBounds(VectorSpec((), 2), tool, JOINTS, 20.0).half == pytest.approx([1000.0, np.pi])


def test_a_value_that_is_nothing_may_be_anything_finite() -> None:
    values = [*VALUES[:7], BoundValue("-")]
    bounds = ActionBounds(VectorSpec((), 8, statistics(HOME - 0.1, HOME + 0.1)), values, JOINTS, 20.0)
    bounds.check(np.append(HOME[:7], 1e6)[None])
    with pytest.raises(ActionFault, match="is nan"):
        bounds.check(np.append(HOME[:7], np.nan)[None])


def test_what_no_unit_explains_is_said_too() -> None:
    bounds = ActionBounds(VectorSpec((), 8, statistics(HOME - 0.1, HOME + 0.1)), VALUES, JOINTS, 20.0)
    with pytest.raises(ActionFault, match="a unit error, or values that are normalised twice"):
        bounds.check(HOME[None] + 1e5)
