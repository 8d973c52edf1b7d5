"""What each value is: by entries, by the checkpoint's names, by the robot's order; what is neither is refused."""

from __future__ import annotations

import math

import pytest

from test.unit.policies.binding.contracts import JOINT_NAMES, ROBOT, joints
from vla_ros.parameters import from_mapping
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.binding_row import BindingRow
from vla_ros.policies.binding.bound_values import BoundValue, bind_values
from vla_ros.policies.binding.checkpoint_contract import VectorSpec
from vla_ros.policies.binding.robot_joints import RobotJoints

JOINTS = RobotJoints(ROBOT)
TOOL = ["tool.x", "tool.y", "tool.z", "tool.roll", "tool.pitch", "tool.yaw"]


def bind(which: str, spec: VectorSpec, **options: object) -> tuple[tuple[BoundValue, ...], BindingRow]:
    return bind_values(which, spec, from_mapping(BindingParameters, options), JOINT_NAMES, JOINTS)


def test_the_robots_order_is_taken_for_a_checkpoint_without_names_and_said() -> None:
    values, row = bind("state", joints())
    assert [value.joint for value in values] == list(range(8))
    assert row.verdict == "mapped" and "in the robot's order: the checkpoint names none" in row.has


def test_the_same_names_are_ok() -> None:
    assert bind("state", joints(names=tuple(JOINT_NAMES)))[1].verdict == "ok"
    assert bind("action", joints(names=tuple(f"{name}.pos" for name in JOINT_NAMES)))[1].verdict == "ok"


def test_the_gripper_of_the_data_is_the_joint_that_is_named() -> None:
    spec = joints(names=(*(f"{name}.pos" for name in JOINT_NAMES[:7]), "gripper.pos"))
    assert bind("action", spec)[1].verdict == "refused"
    values, row = bind("action", spec, gripper_joint="finger_joint")
    assert values[7].gripper and values[7].joint == 7 and row.verdict == "ok"


def test_units_of_each_value() -> None:
    values, _ = bind("state", joints(), angle_unit="deg")
    assert [value.scale for value in values] == pytest.approx([math.pi / 180] * 7 + [1.0])
    action = {"action_space": "cartesian", "angle_unit": "deg", "position_scale": 0.001, "rotation_scale": 2.0}
    values, _ = bind("action", VectorSpec((), 6), **action)
    assert [value.scale for value in values] == pytest.approx([0.001] * 3 + [2 * math.pi / 180] * 3)


def test_the_usual_order_of_poses() -> None:
    values, row = bind("action", VectorSpec((), 7), action_space="cartesian", gripper_joint="finger_joint")
    assert [value.entry for value in values] == [*TOOL, "finger_joint"]
    assert row.verdict == "mapped" and values[-1].gripper


@pytest.mark.parametrize(
    ("width", "options", "text"),
    [
        (8, {"action": list(JOINT_NAMES[:7])}, "are 7 values"),
        (8, {"action": [*JOINT_NAMES[:7], "thumb"]}, "thumb is neither a joint of the robot nor a component"),
        (8, {"action": [*JOINT_NAMES[:7], "joint1"]}, "joint1 is moved by two values"),
        (8, {"action": ["-"] * 8}, "no value moves a joint"),
        (8, {"action": [*TOOL, "joint7", "finger_joint"]}, "tool.x needs binding.action_space: cartesian"),
        (2, {"action": ["joint1", "finger_joint"], "action_space": "cartesian"}, "no value moves the tool"),
        (
            4,
            {"action": ["tool.x", "tool.y", "tool.z", "tool.roll"], "action_space": "cartesian"},
            "is no whole rotation",
        ),
        (
            7,
            {"action": ["tool.qx", "tool.qy", "tool.qz", "tool.roll", *TOOL[:3]], "action_space": "cartesian"},
            "is no whole rotation",
        ),
        (
            4,
            {"action": [*TOOL[:3], "joint2"], "action_space": "cartesian"},
            "joint2 moves the tool, which other values",
        ),
        (9, {}, "the robot has 8 joints"),
        (8, {"action_space": "cartesian"}, "are 6 values"),
    ],
)
def test_an_action_that_cannot_be_is_refused(width: int, options: dict[str, object], text: str) -> None:
    values, row = bind("action", VectorSpec((), width), **options)
    assert values == () and row.verdict == "refused"
    assert text in row.has and "write binding.action: [...]" in row.remedy


def test_a_state_may_show_a_joint_twice_and_part_of_a_pose() -> None:
    values, row = bind("state", VectorSpec((), 3), state=["finger_joint", "finger_joint", "tool.z"])
    assert len(values) == 3 and row.verdict == "mapped"


def test_positions_alone_hold_the_tools_rotation() -> None:
    values, row = bind("action", VectorSpec((), 2), action=["tool.x", "tool.y"], action_space="cartesian")
    assert len(values) == 2 and "finger_joint held" in row.has and "joint1 held" not in row.has


def test_without_a_urdf_names_are_still_checked() -> None:
    parameters = from_mapping(BindingParameters, {})
    assert bind_values("action", joints(), parameters, JOINT_NAMES, None)[1].verdict == "mapped"
    assert bind_values("action", VectorSpec((), 3), parameters, JOINT_NAMES, None)[1].verdict == "refused"
