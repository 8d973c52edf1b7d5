"""What the hand does when it cannot see for a while, when its words change, when the arm's half begins anew."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from vla_ros.parameters import from_mapping
from vla_ros.policies.classical import skills as module
from vla_ros.policies.classical.skills import Activity, AttemptFailed, LabelledPose, Skills
from vla_ros.policies.contract import JointState
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.tasks.hand import FINGER_CLOSED_M, FINGER_OPEN_M

S = 1_000_000_000
AWAY = np.eye(4)  # nowhere near


@pytest.fixture
def hand() -> Skills:
    made = Skills(Robot(urdf(), JOINT_NAMES), from_mapping(ClassicalParameters, {"gripper_joint": "finger_joint"}))
    see(made, 0.0)
    return made


def see(hand: Skills, at_s: float, finger: float = FINGER_OPEN_M) -> None:
    q = HOME.copy()
    q[-1] = finger
    hand.observe(round(at_s * S), np.zeros((8, 8, 3), np.uint8), None, JointState(0, q, np.zeros(8)))  # type: ignore[arg-type]


def legs(hand: Skills) -> Iterator[Activity]:
    here = hand.now.T_base_tool
    return hand._go(
        [
            LabelledPose("a", here, FINGER_OPEN_M, 0.1),
            LabelledPose("b", here, FINGER_OPEN_M, 0.2),
            LabelledPose("c", AWAY, FINGER_OPEN_M, 0.1),
        ]
    )


def test_time_without_pictures_does_not_count(hand: Skills) -> None:
    course = legs(hand)
    next(course)
    see(hand, 1000.0)
    assert next(course).subtask == "c"
    for second in range(1001, 2000):
        for part in range(5):
            see(hand, second + part / 5)
            try:
                next(course)
            except AttemptFailed:
                return
    pytest.fail("nothing is ever missed")


def test_what_is_sent_begins_at_the_last_place_reached(hand: Skills) -> None:
    first = next(legs(hand))
    assert [waypoint.index for waypoint in first.waypoints] == [1, 2] and first.subtask == "c"


def test_who_breaks_off_a_lift_keeps_the_grip(hand: Skills, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def go(self: Skills, legs: list[LabelledPose]) -> Iterator[Activity]:
        asked.extend(leg.gripper for leg in legs)
        if legs[-1].gripper == FINGER_CLOSED_M:
            see(hand, 1.0, 0.02)
        yield Activity(legs[-1].label, ())

    monkeypatch.setattr(module.Skills, "_go", go)
    monkeypatch.setattr(module.Skills, "_best_yaw", lambda *_: 0.0)
    thing = Thing()
    grasp = hand._grasp(thing)  # type: ignore[arg-type]
    labels = [next(grasp).subtask, next(grasp).subtask]
    assert labels == ["grasp it", "lift it"] and hand.held is thing
    grasp.close()
    asked.clear()
    list(hand.to_lookout("look"))
    assert set(asked) == {FINGER_CLOSED_M}


class Thing:
    """A cube."""

    class fitted:
        p_base, height, width, yaw, shape = np.array([0.5, 0.0, 0.02]), 0.04, 0.04, 0.0, "cube"

    def __str__(self) -> str:
        return "it"
