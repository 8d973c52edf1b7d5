"""Actions in robot units become joint positions, and back: targets, offsets and steps, of joints or of the tool."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.binding.bound_values import POSITIONS, ROTATIONS, BoundValue
from vla_ros.policies.binding.robot_joints import RobotJoints
from vla_ros.policies.binding.tool_pose import VECTOR, angle_between, nearest_values, rotation_from, rotation_values
from vla_ros.robot.kinematics import CENTERING_PER_M

SUBSTEP_M, SUBSTEP_RAD = 0.01, 0.05
"""The way to a pose is followed in steps of this length at most."""
MAX_SUBSTEPS = 400
"""A row that is farther away is refused: 4 m, or three turns."""
POSE_TOLERANCE_M, POSE_TOLERANCE_RAD = 1e-4, 1e-3
LARGEST_TURN_RAD = 0.5
"""Of a joint in one substep: farther away is another configuration of the arm."""


class ActionFault(ValueError):
    """The actions of a checkpoint cannot be used. The text is one line; the arm is to hold."""


class ActionMapping(Protocol):
    """Actions (T, w) in rad and m against joint positions (T, n)."""

    def positions(self, actions: Array, q: Array) -> Array:
        """Return (T, n). q: (n,) at the start of the chunk. Raises ActionFault where no joint positions do it."""
        ...

    def actions(self, positions: Array, q: Array) -> Array:
        """Return (T, w), 0 where a value is nothing."""
        ...


class JointActions:
    """Values that are joints, and the gripper's: absolute whatever `kind` is.

    Args:
        values: of an action. kind: one of ACTION_KINDS.
    """

    def __init__(self, values: Sequence[BoundValue], kind: str) -> None:
        self._width = len(values)
        moved = [number for number, value in enumerate(values) if value.joint >= 0]
        absolute = [number for number in moved if kind == "absolute" or values[number].gripper]
        offsets = [number for number in moved if number not in absolute]
        self._absolute, self._offsets = np.array(absolute, np.intp), np.array(offsets, np.intp)
        self._absolute_joints = np.array([values[number].joint for number in absolute], np.intp)
        self._offset_joints = np.array([values[number].joint for number in offsets], np.intp)
        self._step = kind == "step"

    def positions(self, actions: Array, q: Array) -> Array:
        """See `ActionMapping.positions`."""
        positions = np.repeat(q[None, :], len(actions), axis=0)
        positions[:, self._absolute_joints] = actions[:, self._absolute]
        offsets = actions[:, self._offsets]
        positions[:, self._offset_joints] += np.cumsum(offsets, axis=0) if self._step else offsets
        return positions

    def actions(self, positions: Array, q: Array) -> Array:
        """See `ActionMapping.actions`."""
        actions = np.zeros((len(positions), self._width))
        actions[:, self._absolute] = positions[:, self._absolute_joints]
        before = np.vstack([q[None, :], positions[:-1]]) if self._step else q[None, :]
        actions[:, self._offsets] = (positions - before)[:, self._offset_joints]
        return actions


class CartesianActions:
    """Values that place the tool, and joints that do not move it (gripper, fingers). The latter are absolute.

    Components that no value gives stay as they are at the start of the chunk.

    Args:
        values: of an action. kind: one of ACTION_KINDS. joints: of the robot.
        centres: (w,) usual value of each, rad or m: of equal rotations, `actions` gives the nearest to it; None: unknown.
    """

    def __init__(
        self, values: Sequence[BoundValue], kind: str, joints: RobotJoints, centres: Array | None = None
    ) -> None:
        self._width, self._kind, self._joints = len(values), kind, joints
        column = {value.component: number for number, value in enumerate(values) if value.component}
        self._axes = np.array([axis for axis, name in enumerate(POSITIONS) if name in column], np.intp)
        self._positions = np.array([column[POSITIONS[axis]] for axis in self._axes], np.intp)
        self._rotation_kind = next((group for group in ROTATIONS if group[0] in column), None)
        self._rotation = np.array([column[name] for name in self._rotation_kind or ()], np.intp)
        self._others = JointActions(values, "absolute")
        known = centres is not None and kind == "absolute"
        self._reference = (
            centres[self._rotation] if known and centres is not None else np.full(len(self._rotation), math.nan)
        )

    def positions(self, actions: Array, q: Array) -> Array:
        """See `ActionMapping.positions`."""
        positions = self._others.positions(actions, q)
        arm, at = self._joints.kinematics.arm, q
        target = start = self._joints.kinematics.forward(q)
        for row, action in enumerate(actions):
            target = self._target(action, target if self._kind == "step" else start, row)
            at = self._reach(target, at, row)
            positions[row, arm] = at[arm]
        return positions

    def actions(self, positions: Array, q: Array) -> Array:
        """See `ActionMapping.actions`."""
        actions = self._others.actions(positions, q)
        before = self._joints.kinematics.forward(q)
        for row, position in enumerate(positions):
            pose = self._joints.kinematics.forward(position)
            point, rotation = pose[:3, 3], pose[:3, :3]
            if self._kind != "absolute":
                point, rotation = point - before[:3, 3], rotation @ before[:3, :3].T
            actions[row, self._positions] = point[self._axes]
            if self._rotation_kind is not None:
                turned = rotation_values(self._rotation_kind, rotation)
                actions[row, self._rotation] = nearest_values(self._rotation_kind, turned, self._reference)
            before = pose if self._kind == "step" else before
        return actions

    def _target(self, action: Array, before: Array, row: int) -> Array:
        """Return the pose (4, 4) of one row. before: the pose that offsets count from."""
        target = before.copy()
        target[self._axes, 3] = action[self._positions] + (0.0 if self._kind == "absolute" else before[self._axes, 3])
        if self._rotation_kind is not None:
            try:
                rotation = rotation_from(self._rotation_kind, action[self._rotation])
            except ValueError as error:
                raise ActionFault(f"action row {row}: {error} is no rotation") from None
            target[:3, :3] = rotation if self._kind == "absolute" else rotation @ before[:3, :3]
        return target

    def _reach(self, target: Array, q: Array, row: int) -> Array:
        """Return the configuration (n,) next to q whose tool pose is `target`, in substeps."""
        kinematics = self._joints.kinematics
        here = kinematics.forward(q)
        way = target[:3, 3] - here[:3, 3]
        turn = rotation_values(VECTOR, target[:3, :3] @ here[:3, :3].T)
        length, angle = float(np.linalg.norm(way)), float(np.linalg.norm(turn))
        count = max(math.ceil(length / SUBSTEP_M), math.ceil(angle / SUBSTEP_RAD), 1)
        if count > MAX_SUBSTEPS:
            raise ActionFault(f"action row {row}: the tool would move {length:.2f} m and {angle:.2f} rad in one row")
        for step in range(1, count + 1):
            pose = target.copy()
            if step < count:
                pose[:3, 3] = here[:3, 3] + way * (step / count)
                pose[:3, :3] = rotation_from(VECTOR, turn * (step / count)) @ here[:3, :3]
            q = self._substep(pose, q, CENTERING_PER_M * length / count, target, row)
        return q

    def _substep(self, pose: Array, q: Array, centering: float, target: Array, row: int) -> Array:
        kinematics = self._joints.kinematics
        found = kinematics.follow(pose, q, centering)
        if not self._is_at(found, pose):
            # At a limit or near a singularity: a search that keeps to the limits, as long as it stays near.
            searched = kinematics.inverse(pose, q)
            if searched is None or np.abs(searched - q)[kinematics.arm].max() > LARGEST_TURN_RAD:
                x, y, z = target[:3, 3]
                raise ActionFault(
                    f"action row {row}: the arm cannot bring its tool to {x:.3f} {y:.3f} {z:.3f} m so turned"
                )
            found = searched
        return found

    def _is_at(self, q: Array, pose: Array) -> bool:
        kinematics, arm = self._joints.kinematics, self._joints.kinematics.arm
        inside = (q >= kinematics.lower - 1e-9) & (q <= kinematics.upper + 1e-9)
        reached = kinematics.forward(q)
        off_m = float(np.linalg.norm(reached[:3, 3] - pose[:3, 3]))
        close = off_m < POSE_TOLERANCE_M and angle_between(reached[:3, :3], pose[:3, :3]) < POSE_TOLERANCE_RAD
        return bool(inside[arm].all()) and close
