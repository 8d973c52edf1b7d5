"""What the hand does without an object of its own."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.policies.classical.drawn_objects import CAMERA, RED_CUBE, draw
from vla_ros.language.steps import ObjectPhrase
from vla_ros.parameters import from_mapping
from vla_ros.policies.classical.hand_skills import HandSkills
from vla_ros.policies.classical.skills import StepImpossible
from vla_ros.policies.contract import JointState
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.tasks.hand import FINGER_CLOSED_M, FINGER_OPEN_M

HOLDING_M = 0.021


@pytest.fixture
def hand() -> HandSkills:
    return HandSkills(Robot(urdf(), JOINT_NAMES), from_mapping(ClassicalParameters, {"gripper_joint": "finger_joint"}))


def see(hand: HandSkills, finger: float) -> None:
    q = HOME.copy()
    q[-1] = finger
    hand.observe(0, draw(("red", RED_CUBE)), CAMERA, JointState(0, q, np.zeros(8)))


def test_nothing_falls_out_of_an_opening_hand(hand: HandSkills) -> None:
    see(hand, HOLDING_M)
    with pytest.raises(StepImpossible, match="would fall"):
        next(iter(hand.set_gripper(FINGER_OPEN_M, "open the gripper")))


def test_an_empty_hand_opens_and_closes(hand: HandSkills) -> None:
    see(hand, 0.0)
    [waypoint] = next(iter(hand.set_gripper(FINGER_OPEN_M, "open the gripper"))).waypoints
    assert waypoint.gripper == FINGER_OPEN_M
    see(hand, FINGER_OPEN_M)
    [waypoint] = next(iter(hand.set_gripper(FINGER_CLOSED_M, "close the gripper"))).waypoints
    assert waypoint.gripper == FINGER_CLOSED_M


def test_the_hand_reaches_by_a_distance_and_not_into_the_table(hand: HandSkills) -> None:
    see(hand, 0.0)
    before = hand.now.T_base_tool[2, 3]
    [waypoint] = next(iter(hand.reach("down", 0.05))).waypoints
    assert waypoint.T_base_tool[2, 3] == pytest.approx(before - 0.05)
    with pytest.raises(StepImpossible, match="the table is in the way"):
        next(iter(hand.reach("down", 2.0)))


def test_only_what_is_in_the_hand_is_put_down(hand: HandSkills) -> None:
    see(hand, 0.0)
    with pytest.raises(StepImpossible, match="nothing is in the hand"):
        next(iter(hand.put_down()))
    see(hand, HOLDING_M)
    labels = next(iter(hand.put_down()))
    assert labels.subtask == "carry it to a free place" and len(labels.waypoints) == 2


def test_what_shows_elsewhere_is_not_in_the_hand(hand: HandSkills) -> None:
    see(hand, HOLDING_M)
    assert hand.in_hand() == "something" and not hand.adopt(ObjectPhrase("red", "cube"))
    see(hand, 0.0)
    assert hand.in_hand() == "" and not hand.adopt(ObjectPhrase("red", "cube"))
