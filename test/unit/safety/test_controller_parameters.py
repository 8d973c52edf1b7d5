"""Which controller has which joints, and by what else they can be moved."""

from __future__ import annotations

from typing import Any

import pytest

from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.safety.controller_parameters import (
    ControllerParameters,
    Output,
    moving_actions,
    moving_topics,
    outputs_of,
)

JOINTS = ["a", "b", "c", "g"]
GRIPPER = {"gripper_joint": "g", "gripper_topic": "hand/gripper_cmd", "gripper_type": "gripper_command"}
TWO = {"topic": "", "topics": ["left/joint_trajectory", "right/commands"], "joints": ["c a", "b"]}
ONE = {"type": "joint_trajectory", "topic": "arm/joint_trajectory"}


def outputs(**changes: Any) -> list[Output]:
    return outputs_of(from_mapping(ControllerParameters, nested({**ONE, **changes})), JOINTS)


def test_one_controller_for_all() -> None:
    assert outputs() == [Output("joint_trajectory", "arm/joint_trajectory", (0, 1, 2, 3))]
    assert outputs()[0].state_topic == "arm/controller_state"


def test_an_arm_and_a_gripper() -> None:
    arm, gripper = outputs(**GRIPPER)
    assert arm.joints == (0, 1, 2)
    assert gripper == Output("gripper_command", "hand/gripper_cmd", (3,), is_gripper=True)
    assert gripper.is_action and not arm.is_action
    topic = outputs(**{**GRIPPER, "gripper_topic": "hand/commands", "gripper_type": "forward_position"})[1]
    assert not topic.is_action and topic.state_topic == ""


def test_several_controllers() -> None:
    first, second, gripper = outputs(**TWO, **GRIPPER, types=["joint_trajectory", "forward_position"])
    assert (first.type, first.name, first.joints) == ("joint_trajectory", "left/joint_trajectory", (2, 0))
    assert (second.type, second.name, second.joints) == ("forward_position", "right/commands", (1,))
    assert gripper.joints == (3,)
    assert [each.type for each in outputs(**TWO, **GRIPPER)][:2] == ["joint_trajectory"] * 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"topic": ""}, "controller.topic: must name the topic of the arm controller"),
        (
            {"topics": ["x"]},
            "controller.topic: must name the topic of the arm controller, or controller.topics several",
        ),
        ({"topic": "", "topics": ["x", "y"]}, "controller.joints: must name the joints of each"),
        ({**TWO, "joints": ["c a b g"]}, "controller.joints: expected 2 entries, one per topic, got 1"),
        ({**TWO, "joints": ["c a", "b"]}, "controller.joints: lacks g"),
        ({**TWO, "joints": ["c a", "a b g"]}, "controller.joints: names twice a"),
        ({**TWO, "joints": ["c a z", "b g"]}, "controller.joints: names no joint of the arm: z"),
        ({**TWO, **GRIPPER, "joints": ["c a", "b g"]}, "controller.joints: names no joint of the arm: g"),
        ({**TWO, **GRIPPER, "types": ["forward_position"]}, "controller.types: expected 2 entries"),
        ({**TWO, **GRIPPER, "types": ["effort", "effort"]}, "types[0]: must be one of joint_trajectory"),
        ({**TWO, **GRIPPER, "topics": ["x", "x"]}, "controller.topics: must be names, each once"),
        ({**GRIPPER, "gripper_topic": ""}, "controller.gripper_topic: give it together"),
        ({**GRIPPER, "gripper_joint": "z"}, "controller.gripper_joint: 'z' is not one of joint_names"),
        ({**GRIPPER, "gripper_type": "grasp"}, "gripper_type: must be one of joint_trajectory"),
    ],
)
def test_what_does_not_belong_together_is_named(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(ParameterError) as raised:
        outputs(**changes)
    assert error in str(raised.value)


def test_every_way_to_move_the_arm() -> None:
    found = outputs(**GRIPPER)
    assert moving_topics(found, ["twist"]) == [
        *("arm/joint_trajectory", "arm/commands", "hand/commands", "hand/joint_trajectory", "twist"),
    ]
    assert moving_actions(found, ["hand/grasp"]) == [
        *("hand/gripper_cmd", "arm/follow_joint_trajectory", "hand/grasp"),
    ]
    topic = outputs(**{**GRIPPER, "gripper_topic": "hand/commands", "gripper_type": "forward_position"})
    assert "hand/gripper_cmd" in moving_actions(topic, [])
    assert moving_topics(outputs(topic="commands"), []) == ["commands"]
    assert moving_actions(outputs(topic="commands"), []) == []
