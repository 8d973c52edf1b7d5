"""The filter's configuration is that of the robot, with what the command line lays over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.parameters import ParameterError
from vla_ros.sim.arm_description import JOINT_NAMES, urdf


def test_the_simulated_arm_brings_its_own_urdf() -> None:
    parameters, text = safety_configuration()
    assert tuple(parameters.joint_names) == JOINT_NAMES
    assert text == urdf()


def test_a_file_is_laid_over_the_robots_and_a_urdf_takes_the_place_of_its_own(tmp_path: Path) -> None:
    config, model = tmp_path / "slow.yaml", tmp_path / "arm.urdf"
    config.write_text("safety_filter:\n  ros__parameters:\n    speed_scale: 0.5\n")
    model.write_text("<robot name='other'/>")
    parameters, text = safety_configuration("sim", str(config), str(model))
    assert parameters.speed_scale == 0.5
    assert text == "<robot name='other'/>"


def test_a_robot_without_a_urdf_needs_one(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="urdf: the configuration names no URDF file; give one with --urdf FILE"):
        safety_configuration("franka")
    with pytest.raises(ParameterError, match="urdf: missing.urdf"):
        safety_configuration("sim", "", "missing.urdf")
