"""A robot that is none is one line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from test.unit.policies.binding.contracts import ROBOT
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.robot_joints import RobotJoints


def test_the_finger_slides_and_the_joints_turn() -> None:
    assert RobotJoints(ROBOT).prismatic.tolist() == [False] * 7 + [True]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"urdf": "<robot"}, "robot_description"),
        ({"urdf": "no xml\nat all"}, "robot_description"),
        ({"tool_frame": "claw"}, "the URDF has no link 'claw'"),
        ({"joint_names": ("joint1",)}, "moves tool and is not named"),
        ({"joint_names": (*ROBOT.joint_names, "thumb")}, "the URDF has no joint thumb"),
    ],
)
def test_a_robot_that_is_none_is_one_line(changed: dict[str, object], text: str) -> None:
    with pytest.raises(ParameterError) as error:
        RobotJoints(replace(ROBOT, **changed))  # type: ignore[arg-type]
    assert text in str(error.value) and "\n" not in str(error.value)
