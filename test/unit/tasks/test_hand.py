"""How a gripper handles the objects: the numbers fit the objects and the finger joint."""

from __future__ import annotations

import pytest

from vla_ros.sim.arm_description import POSITION_LOWER, POSITION_UPPER
from vla_ros.tasks import hand
from vla_ros.tasks.objects import BOWL_HEIGHT_M, CYLINDER_HEIGHT_M, OBJECT_HALF_WIDTH_M


def test_fingers_stay_inside_the_range_of_their_joint_and_open_wider_than_an_object() -> None:
    assert POSITION_LOWER[-1] < hand.FINGER_CLOSED_M < hand.HOLDING_FINGER_M < OBJECT_HALF_WIDTH_M
    assert OBJECT_HALF_WIDTH_M + hand.RELEASE_CLEARANCE_M < hand.FINGER_OPEN_M < POSITION_UPPER[-1]


def test_the_lowest_tool_keeps_the_finger_tips_off_the_table() -> None:
    over_table_m = hand.LOWEST_TOOL_M - hand.FINGERTIP_M
    assert over_table_m == pytest.approx(hand.RELEASE_GAP_M)


def test_a_held_object_passes_over_everything_on_the_table() -> None:
    assert hand.TRAVEL_HEIGHT_M - CYLINDER_HEIGHT_M > BOWL_HEIGHT_M + CYLINDER_HEIGHT_M
