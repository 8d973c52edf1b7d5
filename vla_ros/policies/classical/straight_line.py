"""System 1 of `classical`: straight lines from waypoint to waypoint, jerk-limited, as joint positions.

Every chunk goes on from the tool's position, velocity and acceleration at the end of its prefix, the last point taken over
from the previous chunk, so that motion has no discontinuity there; what was planned behind that point is planned anew.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pinocchio
from ruckig import Trajectory

from vla_ros.arrays import Array
from vla_ros.policies import waypoints
from vla_ros.policies.continuation import around, to_rest
from vla_ros.policies.contract import Chunk, JointState, Plan
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot, joint_index, parameters_hash
from vla_ros.policies.waypoints import Waypoint
from vla_ros.robot.kinematics import CENTERING_PER_M, Kinematics
from vla_ros.time import NS_PER_S
from vla_ros.transforms import axes_along

ROWS = 36  # points per chunk: 0.7 s
ACCELERATION = np.array([0.7] * 3 + [2.0] * 3)  # of the tool: m/s^2, rad/s^2
JERK = np.array([7.0] * 3 + [20.0] * 3)  # m/s^3, rad/s^3
TURN_SPEED = 1.0  # rad/s
SLOWER = (1.0, 0.7, 0.5, 0.35, 0.25)  # shares of the speed that are tried until every joint stays inside its limits
BLEND = 0.03  # m: distance at which a waypoint is passed when neither speed nor gripper change there
SETTLE_NS = 120_000_000  # that the arm waits for the fingers to close or open in truth
FINGER_MOVED = 1e-3  # m
ARRIVED = 0.06  # m: the measured tool is at least so near to a waypoint that counts as reached,
LAG_S = 0.15  # but for the way it makes between two chunks


@dataclass(frozen=True)
class _LineMotion:
    """Motion to one waypoint: in the axes of the line for the translation, as rotation left for the orientation."""

    target: Array
    axes: Array
    trajectory: Trajectory

    def pose(self, t_s: float) -> Array:
        position = np.array(self.trajectory.at_time(t_s)[0])
        matrix = self.target.copy()
        matrix[:3, 3] += self.axes.T @ position[:3]
        matrix[:3, :3] = self.target[:3, :3] @ pinocchio.exp3(position[3:])
        return matrix


class StraightLine:
    """The moving half of `classical`. It remembers which waypoints of an instruction it has reached, and nothing else.

    Args:
        robot: the arm.
        parameters: options of the policy.
    """

    dt_s = 0.02

    def __init__(self, robot: Robot, parameters: ClassicalParameters) -> None:
        self.checkpoint = parameters_hash("classical", robot, parameters)
        motion = parameters.motion
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._finger = joint_index(robot, parameters.gripper_joint, "classical.gripper_joint")
        self._limits = motion.arm_limits(self._kinematics.velocity[self._kinematics.arm].tolist())
        self._finger_limits = (motion.finger_velocity_m_s, motion.finger_acceleration_m_s2, motion.finger_jerk_m_s3)
        self._instruction: int | None = None
        self._reached = -1  # highest index
        self._due_ns: dict[int, int] = {}  # waypoint index -> when it will be done, if nothing comes between

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        """Return the next 0.7 s; see `contract.System1`."""
        if plan.instruction.id != self._instruction:
            self._instruction, self._reached, self._due_ns = plan.instruction.id, -1, {}
        if not previous.chunk_id:
            self._due_ns = {}
        prefix_length = min(prefix_length, len(previous.positions))
        rows = previous.positions[: max(prefix_length, 1)]
        history = around(previous.positions, len(rows) - 1)
        now_ns = start_ns + round((len(rows) - 1) * self.dt_s * NS_PER_S)
        ahead = self._ahead(plan, joint_state, now_ns)
        for slower in SLOWER:
            positions, due_ns = self._move(rows, history, ahead, start_ns, slower)
            if self._inside_limits(positions[max(len(rows) - 3, 0) :]):
                break
        self._due_ns = due_ns
        return Chunk(
            positions,
            self.dt_s,
            start_ns,
            plan_id=plan.plan_id,
            frame_stamp_ns=plan.frame_stamp_ns,
            prefix_length=prefix_length,
        )

    def _ahead(self, plan: Plan, joint_state: JointState, now_ns: int) -> list[Waypoint]:
        """Return the waypoints that are still to be reached, nearest first; the last one when there is none left."""
        course = waypoints.unpack(plan.data)
        due = [waypoint for waypoint in course if self._due_ns.get(waypoint.index, now_ns + 1) <= now_ns]
        if due:
            # What was commanded may not have happened: a stop, a collision. Then the way there starts again.
            away = due[-1].T_base_tool[:3, 3] - self._kinematics.forward(joint_state.q)[:3, 3]
            if np.linalg.norm(away) < ARRIVED + LAG_S * due[-1].speed:
                self._reached = max(self._reached, due[-1].index)
        return [waypoint for waypoint in course if waypoint.index > self._reached] or list(course[-1:])

    def _move(
        self, rows: Array, history: Array, ahead: list[Waypoint], start_ns: int, slower: float
    ) -> tuple[Array, dict[int, int]]:
        """Continue `rows` (k, n) to a whole chunk along `ahead`.

        Args:
            rows: the prefix; the new motion starts at its last row.
            history: (3, n) configurations one step before, at and after the last row, for its velocity and acceleration.
            ahead: waypoints to go to.
            start_ns: time of row 0.
            slower: share of the waypoints' speed.

        Returns:
            positions (ROWS, n), and for each waypoint that is done within them, when.
        """
        chunk = np.empty((max(ROWS, len(rows)), rows.shape[1]))
        chunk[: len(rows)] = rows
        due_ns: dict[int, int] = {}
        poses = [self._kinematics.forward(q) for q in history]
        finger = history[:, self._finger]
        course = iter(itertools.pairwise([*ahead, None]))
        waypoint, after = next(course, (None, None))
        leg = fingers = None
        row = len(rows) - 1
        leg_row = row
        while waypoint is not None and row < len(chunk) - 1:
            if leg is None:
                leg_row = row
                leg = self._leg(poses, waypoint, slower)
                fingers = self._fingers(finger, waypoint.gripper)
                moves_finger = abs(finger[1] - waypoint.gripper) > FINGER_MOVED
                motion_s = max(leg.trajectory.duration, fingers.duration)
                end_ns = start_ns + round((row * self.dt_s + motion_s) * NS_PER_S) + SETTLE_NS * moves_finger
                if motion_s < self.dt_s / 10:  # already there, perhaps waiting for the fingers
                    end_ns = self._due_ns.get(waypoint.index, end_ns)
            t_s = (row - leg_row + 1) * self.dt_s
            assert fingers is not None  # made together with the leg
            poses = [leg.pose(max(t_s + step, 0.0)) for step in (-self.dt_s, 0.0, self.dt_s)]
            finger = np.array([fingers.at_time(max(t_s + step, 0.0))[0][0] for step in (-self.dt_s, 0.0, self.dt_s)])
            row += 1
            travel = float(np.linalg.norm(poses[1][:3, 3] - poses[0][:3, 3]))
            chunk[row] = self._kinematics.follow(poses[1], chunk[row - 1], CENTERING_PER_M * travel)
            chunk[row, self._finger] = finger[1]
            row_ns = start_ns + round(row * self.dt_s * NS_PER_S)
            passes = (
                after is not None
                and after.speed == waypoint.speed
                and after.gripper == waypoint.gripper
                and t_s >= fingers.duration
                and np.linalg.norm(poses[1][:3, 3] - waypoint.T_base_tool[:3, 3]) < BLEND
            )
            if passes or row_ns >= end_ns:
                due_ns[waypoint.index] = min(row_ns, end_ns)
                waypoint, after = next(course, (None, None))
                leg = None
            else:
                due_ns.setdefault(waypoint.index, end_ns)
        chunk[row + 1 :] = chunk[row]
        return chunk, due_ns

    def _leg(self, poses: list[Array], waypoint: Waypoint, slower: float) -> _LineMotion:
        target = waypoint.T_base_tool
        axes = axes_along(target[:3, 3] - poses[1][:3, 3])
        left = np.array(
            [
                np.concatenate([axes @ (pose[:3, 3] - target[:3, 3]), pinocchio.log3(target[:3, :3].T @ pose[:3, :3])])
                for pose in poses
            ]
        )
        speed = np.array([waypoint.speed * slower] * 3 + [TURN_SPEED * slower] * 3)
        return _LineMotion(target, axes, to_rest(left, self.dt_s, np.zeros(6), speed, ACCELERATION, JERK))

    def _fingers(self, finger: Array, target: float) -> Trajectory:
        limits = [np.array([limit]) for limit in self._finger_limits]
        return to_rest(finger[:, None], self.dt_s, np.array([target]), *limits)

    def _inside_limits(self, positions: Array) -> bool:
        arm = positions[:, self._kinematics.arm]
        for limit in self._limits:  # of velocity, acceleration, jerk
            arm = np.diff(arm, axis=0) / self.dt_s
            if (np.abs(arm) > limit).any():
                return False
        return True
