"""Plans of joint positions show the path of their tool."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vla_ros.policies.contract import Instruction, Plan, PlanState
from vla_ros.policies.tool_path import POSES, with_tool_path
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.transforms import pose

KINEMATICS = Kinematics(urdf(), JOINT_NAMES)
ROWS = HOME + np.linspace(0, 0.2, 120)[:, None] * np.array([1.0, 0, 0, 0, 0, 0, 0, np.nan])
PLAN = Plan(0, Instruction(1, "x"), PlanState.ACTIVE, kind="motion", data=ROWS)


@pytest.mark.parametrize("kind", ["actions", "motion"])
def test_rows_of_joint_positions_become_poses(kind: str) -> None:
    path = with_tool_path(replace(PLAN, kind=kind), KINEMATICS).path
    assert path.shape == (POSES, 7)
    for at, row in ((0, 0), (-1, -1)):
        expected = pose(KINEMATICS.forward(ROWS[row]))
        assert path[at, :3] == pytest.approx(expected[:3])
        assert np.abs(path[at, 3:] @ expected[3:]) == pytest.approx(1.0)


def test_few_rows_are_as_many_poses() -> None:
    assert len(with_tool_path(replace(PLAN, data=ROWS[:3]), KINEMATICS).path) == 3


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, path=np.zeros((2, 7))),
        replace(PLAN, kind="features"),
        replace(PLAN, kind="", data=np.zeros(0)),
        replace(PLAN, data=ROWS[:0]),
        replace(PLAN, data=ROWS[:, :7]),
        replace(PLAN, data=ROWS[0]),
        replace(PLAN, data=ROWS.astype(object)),
        replace(PLAN, data=np.full_like(ROWS, np.nan)),
    ],
)
def test_other_plans_stay_as_they_are(plan: Plan) -> None:
    assert with_tool_path(plan, KINEMATICS) is plan
