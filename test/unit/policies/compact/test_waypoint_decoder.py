"""Predicted waypoints as poses that the arm can reach."""

import math

import numpy as np
import pytest

from test.unit.policies.compact.tiny import ROBOT
from vla_ros.parameters import from_mapping
from vla_ros.policies.compact.model_config import ANCHORS, SUBTASKS
from vla_ros.policies.compact.object_tracker import Detection, ObjectTracker
from vla_ros.policies.compact.waypoint_decoder import MAX_REACH_M, RETREAT, WaypointDecoder
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME

P_TOOL = np.array([0.5, 0.1, 0.2])


def tracker(x: float, y: float) -> ObjectTracker:
    made = ObjectTracker()
    made.update(Detection(np.array([x, y, 0.02]), 0.002, np.array([1.0, 0.0]), 0.9), 0.1, False)
    return made


def decoded(subtask: str, anchor: str, row: list[float], side: str = "none", p_tool: np.ndarray = P_TOOL) -> np.ndarray:
    decoder = WaypointDecoder(
        Kinematics(ROBOT.urdf, ROBOT.joint_names, ROBOT.tool_frame), from_mapping(CompactParameters, {})
    )
    logits = np.eye(len(ANCHORS), dtype=np.float32)[[ANCHORS.index(anchor)]]
    trackers = (tracker(0.5, 0.1), tracker(0.4, -0.2))
    rows = np.array([row], np.float32)
    (result,) = decoder.decode(SUBTASKS.index(subtask), rows, logits, trackers, trackers[0].p, side, p_tool, 0.0, HOME)
    return result


def test_an_offset_is_from_its_anchor() -> None:
    row = decoded("carry {x} to {y}", "y", [0.1, 0.2, 2.0, 1.0, 0.0, 0.5, 1.0])
    np.testing.assert_allclose(row, [0.41, -0.18, 0.2, 0.0, 0.02, 0.35], atol=1e-6)


def test_the_offset_of_a_push_is_along_it() -> None:
    row = decoded("push {x}", "start of x", [1.0, 0.0, 0.3, 1.0, 0.0, 0.3, 0.2], side="left")
    np.testing.assert_allclose(row[:2], [0.5, 0.2], atol=1e-6)
    assert abs(math.remainder(row[3] - math.pi / 2, math.pi)) < 1e-6


@pytest.mark.parametrize(("offset", "height"), [(9.0, 0.0), (-2.0, -3.0)])
def test_waypoints_are_within_reach_and_above_the_table(offset: float, height: float) -> None:
    row = decoded("reach for {x}", "x", [offset, 0.0, height, 1.0, 0.0, 1.0, 1.0])
    assert np.hypot(*row[:2]) <= MAX_REACH_M + 1e-9 and row[2] == pytest.approx(0.014)


def test_after_a_push_the_hand_goes_back_before_it_goes_up() -> None:
    up = [-0.6, 0.0, 2.0, 1.0, 0.0, 0.3, 1.0]
    near, far = np.array([0.5, 0.07, 0.03]), np.array([0.5, 0.0, 0.03])
    assert decoded(RETREAT, "x", up, "left", near)[2] == pytest.approx(0.03)
    assert decoded(RETREAT, "x", up, "left", far)[2] == pytest.approx(0.2)
