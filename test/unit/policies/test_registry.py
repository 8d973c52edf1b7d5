"""Policies by name: halves that know each other, clear words for what does not exist."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies.registry import POLICIES, Robot, policy, system1, system2
from vla_ros.robot.joint_map import JointNamesError
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_the_halves_know_each_other(name: str) -> None:
    assert system1(name, ROBOT).checkpoint == system2(name, ROBOT).checkpoint


def test_other_options_are_another_checkpoint() -> None:
    assert system1("classical", ROBOT).checkpoint != system1("classical", ROBOT, {"speed_m_s": 0.2}).checkpoint


def test_an_unknown_policy_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ParameterError) as error:
        policy("magic")
    assert str(error.value) == "policy: there is no 'magic'; there are classical, compact, scripted"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sped": 1.0}, "classical.sped: no such parameter"),
        ({"speed_m_s": -1.0}, "classical.speed_m_s: must be above 0.0 m/s, got -1.0"),
        (
            {"motion": {"acceleration_rad_s2": [1.0]}},
            "motion.acceleration_rad_s2: has 1 values, but 7 joints move the tool",
        ),
        ({"gripper_joint": "thumb"}, "classical.gripper_joint: the robot has no joint 'thumb'"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, object], text: str) -> None:
    with pytest.raises(ParameterError) as error:
        system1("classical", ROBOT, options)
    assert text in str(error.value)


def test_a_robot_that_does_not_bind_is_refused() -> None:
    with pytest.raises(JointNamesError, match="joint1"):
        system1("classical", Robot(urdf(), JOINT_NAMES[1:]))


def test_the_registry_imports_no_policy() -> None:
    code = "import sys, vla_ros.policies.registry; print(sorted(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "vla_ros.policies.registry" in output
    for heavy in ("pinocchio", "cv2", "ruckig", "torch"):
        assert f"'{heavy}'" not in output
