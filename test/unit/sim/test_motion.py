"""The tool's motion is smooth, and ends at the goal."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, VELOCITY_LIMIT, urdf
from vla_ros.sim.motion import DT_S, ToolMotion, pose_of
from vla_ros.sim.phases import ToolGoal


@pytest.fixture(scope="module")
def kinematics() -> Kinematics:
    return Kinematics(urdf(), JOINT_NAMES)


def test_the_tool_comes_to_rest_at_its_goal(kinematics: Kinematics) -> None:
    motion = ToolMotion(kinematics, HOME)
    goal = ToolGoal(0.5, 0.1, 0.2, 0.3, 0.0005, 0.35)
    path = np.array([motion.step(goal) for _ in range(200)])
    assert motion.commanded_tool == pytest.approx([0.5, 0.1, 0.2, 0.3], abs=1e-6)
    assert kinematics.forward(path[-1])[:3, 3] == pytest.approx([0.5, 0.1, 0.2], abs=1e-3)
    assert path[-1, -1] == pytest.approx(0.0005)
    assert (np.abs(np.diff(path, axis=0)) / DT_S <= VELOCITY_LIMIT).all()


def test_after_a_reset_it_is_at_rest(kinematics: Kinematics) -> None:
    motion = ToolMotion(kinematics, HOME)
    motion.step(ToolGoal(0.5, 0.1, 0.2, 0.0, 0.04, 0.35))
    motion.reset(HOME)
    here = motion.commanded_tool
    assert np.abs(motion.step(ToolGoal(*here, float(HOME[-1]), 0.35)) - HOME).max() < 1e-3


def test_a_pose_without_tilt_points_down() -> None:
    pose = pose_of(np.array([0.4, 0.0, 0.3, 0.7]))
    assert pose[:3, 2] == pytest.approx([0.0, 0.0, -1.0]) and pose[:3, 3] == pytest.approx([0.4, 0.0, 0.3])
