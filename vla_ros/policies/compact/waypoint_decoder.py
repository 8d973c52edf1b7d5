"""Output of the network to waypoints: offsets from their anchors become poses that the arm can reach."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.policies.compact.features import (
    FINGER_M,
    SPEED_M_S,
    nearest_symmetric_yaw,
    pointing_down,
    push_direction,
)
from vla_ros.policies.compact.model_config import ANCHORS, FOLDS, IS_PUSH, SUBTASKS, WAYPOINT_DIM
from vla_ros.policies.compact.object_tracker import ObjectTracker
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.robot.kinematics import Kinematics
from vla_ros.transforms import pose

RETREAT = "leave {x} there"
RETREAT_DISTANCE_M = 0.05  # so far back before the hand goes up: a corner of the object may be between the fingers
MAX_REACH_M = 0.78  # from the axis of the first joint; farther out the arm is nearly straight
LOOKOUT = np.array([0.28, 0.0, 0.40])  # of the tool, z above the table: where episodes of training begin
LOOKOUT_SPEED_M_S = 0.25
WRIST_MARGIN_RAD = 0.5  # that the last joint keeps from its limits where it can: the rest of the arm turns it, too


class WaypointDecoder:
    """Args: kinematics: of the arm. parameters: options of the policy."""

    def __init__(self, kinematics: Kinematics, parameters: CompactParameters) -> None:
        self._kinematics, self._parameters = kinematics, parameters

    def decode(
        self,
        subtask: int,
        waypoints: NDArray[np.float32],
        anchors: NDArray[np.float32],
        trackers: tuple[ObjectTracker, ObjectTracker],
        start: Array,
        side: str,
        p_tool: Array,
        yaw: float,
        q: Array,
    ) -> Array:
        """Return rows x, y, z above the table (m), yaw (rad), gripper (m), speed (m/s) of the next waypoints.

        Args:
            subtask: index of the active one.
            waypoints: (n, WAYPOINT_DIM). anchors: (n, ANCHORS) logits.
            trackers: of x and y.
            start: (3,) position of x at the start of the step.
            side: to which x is pushed, or "none".
            p_tool: (3,). yaw: of the hand. q: joints.
        """
        x, y = trackers
        push = push_direction(side, start, y.p)
        positions = dict(zip(ANCHORS, (x.p, y.p if y.known else p_tool, start, p_tool), strict=True))
        rows = []
        for number, (row, anchor) in enumerate(zip(waypoints.astype(np.float64), anchors, strict=True)):
            assert len(row) == WAYPOINT_DIM
            fold = FOLDS[min(subtask + number, len(FOLDS) - 1)]
            direction = push if IS_PUSH[min(subtask + number, len(FOLDS) - 1)] else 0.0
            c, s = math.cos(direction), math.sin(direction)
            offset = np.array([c * row[0] - s * row[1], s * row[0] + c * row[1]]) / 10
            position = positions[ANCHORS[int(anchor.argmax())]][:2] + offset
            position *= MAX_REACH_M / max(MAX_REACH_M, float(np.hypot(*position)))
            angle = np.array(math.atan2(row[4], row[3]) / fold + direction)
            angle = nearest_symmetric_yaw(angle, fold, np.array(yaw), self._yaw_range(q, p_tool, yaw, position))
            gripper, speed = np.clip(row[5], 0.0, 1.0) * FINGER_M, np.clip(row[6], 0.1, 1.0) * SPEED_M_S
            height = max(row[2] / 10, self._parameters.least_height_m)
            if SUBTASKS[subtask] == RETREAT and float(np.hypot(*(p_tool - x.p)[:2])) < RETREAT_DISTANCE_M:
                height = min(height, max(p_tool[2], self._parameters.least_height_m))
            rows.append([*position, height, float(angle), gripper, speed])
        return np.array(rows)

    def lookout(self, p_tool: Array, yaw: float, gripper: float, q: Array) -> Array:
        """Return rows as `decode` does: to where the hand hides nothing from a camera in front of it.

        Args:
            p_tool: (3,). yaw: of the hand. gripper: finger joint, m. q: joints.
        """
        angle = nearest_symmetric_yaw(
            np.array(0.0), FOLDS[0], np.array(yaw), self._yaw_range(q, p_tool, yaw, LOOKOUT[:2])
        )
        row = [*LOOKOUT, float(angle), gripper, LOOKOUT_SPEED_M_S]
        return np.array([row, row])

    def pose(self, row: Array) -> Array:
        """Return xyz and quaternion xyzw in the base frame of a row of `decode`."""
        T_base_tool = np.eye(4)
        T_base_tool[:3, :3] = pointing_down(row[3])
        T_base_tool[:3, 3] = *row[:2], row[2] + self._parameters.table_height_m
        return pose(T_base_tool)

    def _yaw_range(self, q: Array, p_tool: Array, yaw: float, position: Array) -> tuple[float, float]:
        """Return the least and the largest yaw of the hand that the wrist can reach at `position` (2,).

        The last joint turns the hand, in the opposite sense, and so does the arm as a whole.
        """
        wrist = self._kinematics.arm[-1]
        lower, upper = (
            self._kinematics.lower[wrist] + WRIST_MARGIN_RAD,
            self._kinematics.upper[wrist] - WRIST_MARGIN_RAD,
        )
        arm_turn = math.atan2(position[1], position[0]) - math.atan2(p_tool[1], p_tool[0])
        at_zero = yaw + float(q[wrist]) + arm_turn
        return at_zero - upper, at_zero - lower
