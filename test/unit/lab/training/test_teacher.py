from dataclasses import replace

import numpy as np
import pytest

from vla_ros.lab.training import teacher
from vla_ros.lab.training.teacher import Situation, TeacherObject
from vla_ros.policies.compact.model_config import ANCHORS, SUBTASKS

CUBE = TeacherObject(np.array([0.5, 0.1, 0.022]), 0.3, "cube", 0.044, 0.031)
PLATE = TeacherObject(np.array([0.45, -0.15, 0.005]), 0.0, "plate", 0.01, 0.08)


def situation(p_tool, finger=0.04, verb="place", x=CUBE, y=PLATE, finger_velocity=0.0, side="none", start=None):
    start = CUBE.p if start is None else start
    return Situation(verb, side, x, y, start, np.array(p_tool, float), 0.3, finger, finger_velocity)


def said(now):
    return SUBTASKS[teacher.label(now).subtask]


@pytest.mark.parametrize(
    ("p_tool", "finger", "finger_velocity", "wanted"),
    [
        ((0.3, 0.0, 0.4), 0.04, 0.0, "reach for {x}"),
        ((0.5, 0.1, 0.11), 0.04, 0.0, "go down to {x}"),
        ((0.5, 0.1, 0.11), 0.01, 0.0, "reach for {x}"),  # the hand is not open
        ((0.5, 0.1, 0.023), 0.04, 0.0, "grasp {x}"),
        ((0.5, 0.1, 0.022), 0.023, -0.05, "grasp {x}"),  # still closing
        ((0.5, 0.1, 0.022), 0.0215, 0.0, "lift {x}"),
        ((0.5, 0.1, 0.022), 0.001, 0.0, "reach for {x}"),  # closed on nothing
    ],
)
def test_on_the_way_to_the_thing(p_tool, finger, finger_velocity, wanted):
    assert said(situation(p_tool, finger, finger_velocity=finger_velocity)) == wanted


def held(p_tool):
    return situation(p_tool, 0.0215, x=replace(CUBE, p=np.array(p_tool, float)))


def test_with_the_thing_in_the_hand():
    assert said(held((0.5, 0.1, 0.08))) == "lift {x}"
    assert said(held((0.5, 0.1, 0.19))) == "carry {x} to {y}"
    assert said(held((0.45, -0.15, 0.19))) == "put {x} on {y}"
    low = teacher.put_height(CUBE, PLATE)
    on_plate = replace(CUBE, p=np.array([0.45, -0.15, low - 0.002]))
    assert said(situation((0.45, -0.15, low), 0.0215, x=on_plate)) == "let go of {x}"
    assert said(situation((0.45, -0.15, low), 0.034, x=on_plate)) == "leave {x}"
    assert said(situation((0.45, -0.15, 0.2), 0.034, x=on_plate)) == "done"


def test_what_fell_is_fetched_again():
    assert said(situation((0.45, -0.15, 0.2), 0.001)) == "reach for {x}"


def test_picking_ends_up_high():
    now = replace(held((0.5, 0.1, 0.2)), verb="pick", y=None)
    assert said(now) == "done"
    assert (
        said(replace(now, p_tool=np.array([0.5, 0.1, 0.1]), x=replace(CUBE, p=np.array([0.5, 0.1, 0.1])))) == "lift {x}"
    )


def test_pushing_goes_behind_down_along_and_away():
    def now(p_tool, moved=0.0):
        x = replace(CUBE, p=CUBE.p + (0.0, moved, 0.0))
        return situation(p_tool, 0.0132, "push", x, None, side="left")

    behind = 0.1 - teacher.FACE - teacher.BEHIND
    assert said(now((0.3, 0.0, 0.4))) == "reach behind {x}"
    assert said(now((0.5, behind, 0.11))) == "go down behind {x}"
    assert said(now((0.5, behind, 0.022))) == "push {x}"
    assert said(now((0.5, 0.1 - 0.03, 0.022), 0.004)) == "push {x}"
    assert said(now((0.5, 0.1 + 0.08, 0.022), 0.11)) == "leave {x} there"
    assert said(now((0.5, 0.1, 0.2), 0.11)) == "done"


def test_waypoints_lie_where_the_subtask_ends():
    reply = teacher.label(situation((0.3, 0.0, 0.4)))
    assert [ANCHORS[anchor] for anchor in reply.anchors] == ["x", "x"]
    assert reply.waypoints[0, 2] == pytest.approx(10 * teacher.READY)
    assert reply.waypoints[1, 2] == pytest.approx(0.22)
    assert np.arctan2(*reply.waypoints[0, [4, 3]]) / 4 == pytest.approx(0.3)
