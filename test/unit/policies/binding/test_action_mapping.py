"""Targets, offsets and steps of joints and of the tool; what the arm cannot do is refused by row."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.policies.binding.contracts import HOME, ROBOT
from vla_ros.policies.binding.action_mapping import ActionFault, CartesianActions, JointActions
from vla_ros.policies.binding.bound_values import BoundValue
from vla_ros.policies.binding.robot_joints import RobotJoints

JOINTS = RobotJoints(ROBOT)
FORWARD = JOINTS.kinematics.forward


def tool(*components: str) -> list[BoundValue]:
    return [BoundValue(f"tool.{name}", component=name) for name in components]


def test_joints_that_no_value_moves_stay() -> None:
    mapping = JointActions([BoundValue("joint2", 1), BoundValue("-")], "absolute")
    positions = mapping.positions(np.array([[0.3, 9.0], [0.4, 9.0]]), HOME)
    assert positions[:, 1].tolist() == [0.3, 0.4]
    assert (np.delete(positions, 1, axis=1) == np.delete(HOME, 1)).all()
    assert mapping.actions(positions, HOME).tolist() == [[0.3, 0.0], [0.4, 0.0]]


@pytest.mark.parametrize(
    ("kind", "expected"), [("absolute", [0.1, 0.1]), ("relative", [0.6, 0.6]), ("step", [0.6, 0.7])]
)
def test_kinds_of_joint_actions(kind: str, expected: list[float]) -> None:
    q = np.zeros(8)
    q[0] = 0.5
    assert JointActions([BoundValue("joint1", 0)], kind).positions(np.full((2, 1), 0.1), q)[:, 0] == pytest.approx(
        expected
    )


def test_positions_of_the_tool_alone_keep_its_rotation_and_the_height_that_no_value_gives() -> None:
    mapping = CartesianActions(tool("x", "y"), "absolute", JOINTS)
    start = FORWARD(HOME)
    positions = mapping.positions(start[None, :2, 3] + np.array([[0.03, -0.02]]), HOME)
    reached = FORWARD(positions[0])
    assert reached[:3, 3] == pytest.approx(start[:3, 3] + [0.03, -0.02, 0], abs=1e-4)
    assert reached[:3, :3] == pytest.approx(start[:3, :3], abs=1e-3)


def test_a_far_pose_is_reached_along_a_line() -> None:
    mapping = CartesianActions(tool("x", "y", "z"), "absolute", JOINTS)
    goal = FORWARD(HOME)[:3, 3] + [-0.1, 0.2, 0.1]
    positions = mapping.positions(goal[None], HOME)
    assert FORWARD(positions[0])[:3, 3] == pytest.approx(goal, abs=1e-4)
    assert np.abs(positions[0] - HOME).max() < 1.0, "no other configuration of the arm"


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        ([2.0, 0.0, 0.3], "action row 1: the arm cannot bring its tool to 2.000 0.000 0.300 m"),
        ([0.0, 0.0, 30.0], "action row 1: the tool would move"),
    ],
)
def test_what_cannot_be_reached_is_refused_by_row(goal: list[float], text: str) -> None:
    mapping = CartesianActions(tool("x", "y", "z"), "absolute", JOINTS)
    with pytest.raises(ActionFault) as error:
        mapping.positions(np.array([FORWARD(HOME)[:3, 3], goal]), HOME)
    assert text in str(error.value)


def test_a_quaternion_without_length_is_refused() -> None:
    mapping = CartesianActions(tool("x", "y", "z", "qx", "qy", "qz", "qw"), "absolute", JOINTS)
    with pytest.raises(ActionFault, match="action row 0: a quaternion of length 0"):
        mapping.positions(np.array([[*FORWARD(HOME)[:3, 3], 0, 0, 0, 0]]), HOME)


def test_offsets_of_the_tool_count_from_the_start_and_steps_from_the_row_before() -> None:
    actions = np.array([[0.01, 0, 0, 0, 0, 0.1], [0.01, 0, 0, 0, 0, 0.1]])
    start = FORWARD(HOME)[0, 3]
    names = ("x", "y", "z", "rx", "ry", "rz")
    moved = {
        kind: [
            FORWARD(row)[0, 3] - start for row in CartesianActions(tool(*names), kind, JOINTS).positions(actions, HOME)
        ]
        for kind in ("relative", "step")
    }
    assert moved["relative"] == pytest.approx([0.01, 0.01], abs=1e-4)
    assert moved["step"] == pytest.approx([0.01, 0.02], abs=1e-4)


@pytest.mark.parametrize("turn", [-0.1, 0.1])
def test_joints_stay_inside_their_limits_or_the_row_is_refused(turn: float) -> None:
    mapping = CartesianActions(tool("x", "y", "z", "rx", "ry", "rz"), "step", JOINTS)
    actions = np.zeros((60, 6))
    actions[:, 5] = turn
    with pytest.raises(ActionFault) as error:
        mapping.positions(actions, HOME)
    refused = int(str(error.value).split()[2].rstrip(":"))
    assert refused > 5
    positions = mapping.positions(actions[:refused], HOME)
    assert (positions >= JOINTS.lower - 1e-6).all() and (positions <= JOINTS.upper + 1e-6).all()
    assert np.abs(np.diff(positions, axis=0)).max() < 0.6, "no jump into another configuration"


def test_another_configuration_of_the_arm_is_not_jumped_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JOINTS.kinematics, "follow", lambda pose, q, centering=0.0: q)
    monkeypatch.setattr(JOINTS.kinematics, "inverse", lambda pose, q: q + 1.0)
    mapping = CartesianActions(tool("x", "y", "z"), "absolute", JOINTS)
    with pytest.raises(ActionFault, match="action row 0: the arm cannot bring its tool to"):
        mapping.positions(FORWARD(HOME)[None, :3, 3] + 0.005, HOME)
