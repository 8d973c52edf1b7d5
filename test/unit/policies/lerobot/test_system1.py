"""System 1 of `lerobot` plays rows; it imports neither torch nor LeRobot."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.action_player import ROW_S
from vla_ros.policies.lerobot.system1 import LeRobotSystem1
from vla_ros.policies.lerobot_parameters import LeRobotParameters
from vla_ros.policies.registry import Robot
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES)


def test_it_plays_rows() -> None:
    assert LeRobotSystem1(ROBOT, from_mapping(LeRobotParameters, {})).dt_s == ROW_S


def test_limits_for_other_joints_are_refused() -> None:
    options = from_mapping(LeRobotParameters, {"motion": {"jerk_rad_s3": [1.0]}})
    with pytest.raises(ParameterError, match="motion.jerk_rad_s3: has 1 values, but 7 joints"):
        LeRobotSystem1(ROBOT, options)


def test_it_needs_no_model() -> None:
    code = "import sys, vla_ros.policies.lerobot.system1, vla_ros.policies.lerobot.system2 as m; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "lerobot", "transformers"} & set(loaded)


def test_an_override_without_a_value_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"lerobot\.config: expected field=value, got 'num_steps'"):
        from_mapping(LeRobotParameters, {"config": ["num_steps"]}, "lerobot.")
