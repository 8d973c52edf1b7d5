"""The table: the arm stays above it."""

from __future__ import annotations

import coal
import pinocchio as pin
import pytest

from test.unit.safety.simulated_arm import OFF, URDF, Arm, parameters
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.table import Table
from vla_ros.safety.geometry_parameters import PayloadParameters, ToolParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES


def test_every_moving_body_is_paired_with_the_space_below() -> None:
    arm = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    configured = parameters(**{"table.height_m": [0.1], "table.margin_m": 0.02})
    pairs = list(Table(configured, ()).distance_pairs(arm))
    assert len(pairs) == len(list(arm.moving_bodies())) > 0
    assert {pair.rule for pair in pairs} == {Table.NAME}
    assert {pair.margin_m for pair in pairs} == {0.02}
    ball = arm.add_fixed_shape("ball", coal.Sphere(0.05), pin.SE3(pin.Quaternion.Identity(), HOME[:3] * 0.0))
    below = arm.geometry.collisionPairs[pairs[0].index].second
    index = arm.add_pair(ball, below)
    arm.finish_pairs()
    arm.place(HOME)
    assert arm.distance(index) == pytest.approx(-0.15), "a ball of 5 cm at the origin, 10 cm below the table"
    assert not Table.configured(parameters(**{"table.height_m": []}))


def test_the_table_is_not_touched_and_the_arm_slides_along_it() -> None:
    arm = Arm(**{**OFF, "table.height_m": [0.0], "table.margin_m": 0.01}).armed()
    down = HOME.tolist()
    down[0], down[1] = down[0] + 1.6, down[1] + 1.55
    assert "table" in arm.towards(down, 700)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert 0.011 <= nearest.distance_m < 0.016
    assert arm.q[0] == pytest.approx(down[0], abs=0.02), "to turn brings nothing nearer"
