"""Motions of the tool as rows of joint positions: a plan of kind "motion", which any arm can play.

Each motion is a straight line or a turn from rest to rest. It is slow enough that every joint keeps half of its limits: the
other half is for System 1, which leads the arm onto the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pinocchio
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.policies.contract import JointState
from vla_ros.policies.policy_parameters import MotionParameters
from vla_ros.policies.transition import motion_limits
from vla_ros.policies.vlm.metric_words import MetricMotion, MotionKind
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.robot.kinematics import Kinematics
from vla_ros.time import NS_PER_S

KIND = "motion"
"""`Plan.kind`: rows (m, n) of joint positions ROW_S apart from the frames' stamp on. NaN: that joint stays where it was told
to be, so that a grip is kept."""
ROW_S = 0.02
PLAN_ROWS = 120
"""2.4 s: what System 1 can use while a plan is valid."""
START_S = 0.4
"""At rest before each line: System 1 then has the plan before the motion begins, and the tool keeps to the line from the
first moment. A motion that is caught up with goes its own way through joint space."""
PATH_ROWS = 10
"""Rows between two poses of the path that people see."""

TOOL_ACCELERATION_M_S2, TOOL_JERK_M_S3 = 0.7, 7.0
TURN_ACCELERATION_RAD_S2, TURN_JERK_RAD_S3 = 2.0, 20.0
QUINTIC_PEAKS = (1.875, 5.7735, 60.0)
"""Of velocity, acceleration and jerk of a quintic over unit length and time."""
SLOWER, TRIES = 1.3, 14
"""A motion that is too quick for a joint is made longer by this, so many times."""
LIMIT_MARGIN = 0.01
"""Distance that each joint keeps from its position limits, rad."""
POSE_TOLERANCE = 1e-4
"""Largest error of the tool on the way, m and rad: more means that the arm cannot get there."""
GRIPPER_S, GRIPPER_SETTLE_S = 1.0, 0.4
"""Time of the fingers from one end to the other, and for them to come to rest on what they hold."""

FOLLOWS_RAD, LAG_S = 0.05, 0.25
"""The motion waits while a joint of the arm is farther behind than this and than it goes in this time."""
LONGEST_STEP_S = 0.5
"""From one plan to the next, however long the frames were missing."""
ARRIVED_RAD = 0.02
"""Of every joint of the arm, at the end."""
PATIENCE_S = 5.0
"""So long the motion waits for an arm that does not follow or arrive."""
FALLBACK_ACCELERATION, FALLBACK_JERK = 3.3, 330.0
"""For an arm that the policy states no limits for, rad/s² and rad/s³: the least of `MotionParameters`."""


class MotionImpossible(ValueError):
    """The arm cannot make a motion; the text says why."""


def joint_limits(kinematics: Kinematics, options: object) -> Array:
    """Return (3, n): velocity, acceleration and jerk that the policy grants each joint.

    Args:
        kinematics: of the arm.
        options: parameters of the policy; its `motion`, where it has one, tells the limits.
    """
    motion = getattr(options, "motion", None) or MotionParameters()
    count = len(kinematics.arm)
    if not count == len(motion.acceleration_rad_s2) == len(motion.jerk_rad_s3):
        lists = {"acceleration_rad_s2": [FALLBACK_ACCELERATION] * count, "jerk_rad_s3": [FALLBACK_JERK] * count}
        motion = replace(motion, **lists)
    return motion_limits(motion, kinematics)


class MotionPlanner:
    """Makes rows of joint positions of motions of the tool.

    Args:
        kinematics: of the arm.
        limits: (3, n) velocity, acceleration and jerk of the joints; half of them are used.
        parameters: speeds, and the gripper's joint.
    """

    def __init__(self, kinematics: Kinematics, limits: Array, parameters: VlmParameters) -> None:
        self._kinematics, self._limits, self._parameters = kinematics, limits / 2, parameters

    def rows(self, q: Array, motion: MetricMotion, place: Array | None) -> Array:
        """Return (m, n) joint positions ROW_S apart, from `q` on; NaN for joints that stay.

        Args:
            q: (n,) where the arm is.
            motion: of the tool.
            place: (3,) m, base frame: the point of a motion ABOVE it; None: nothing was pointed at.

        Raises:
            MotionImpossible: a joint would reach a limit, or there is no gripper or point that is asked for.
        """
        kinematics = self._kinematics
        others = np.setdiff1d(np.arange(len(q)), kinematics.arm)
        at = np.clip(q, kinematics.lower, kinematics.upper)
        if motion.kind not in (MotionKind.OPEN, MotionKind.CLOSE):
            line = self._line(at, self._goal(at, motion, place))
            rows = np.concatenate([line[:1].repeat(round(START_S / ROW_S), axis=0), line])
            rows[:, others] = np.nan
            return rows
        rows = np.repeat(at[None], round((GRIPPER_S + GRIPPER_SETTLE_S) / ROW_S), axis=0)
        rows[:, others] = np.nan
        gripper = self._gripper(others)
        wanted = self._parameters.gripper_open if motion.kind is MotionKind.OPEN else self._parameters.gripper_closed
        rows[:, gripper] = np.clip(wanted, kinematics.lower[gripper], kinematics.upper[gripper])
        return rows

    def _gripper(self, others: NDArray[np.intp]) -> int:
        """Return the index of the gripper's joint."""
        name, names = self._parameters.gripper_joint, self._kinematics.joint_names
        if name not in names or names.index(name) not in others:
            raise MotionImpossible(
                f"the robot has no gripper joint {name!r} (vlm.gripper_joint); it has {', '.join(names)}"
            )
        return names.index(name)

    def _goal(self, q: Array, motion: MetricMotion, place: Array | None) -> Array:
        """Return T_base_tool (4, 4) at the end of a motion from q."""
        goal = self._kinematics.forward(q)
        axis = np.array(motion.axis)
        if motion.in_tool_frame:
            axis = goal[:3, :3] @ axis
        if motion.kind is MotionKind.ABOVE:
            if place is None:
                raise MotionImpossible("above the point: nothing was pointed at")
            goal[:3, 3] = place + (0.0, 0.0, motion.amount)
        elif motion.kind is MotionKind.TURN:
            goal[:3, :3] = pinocchio.exp3(axis * motion.amount) @ goal[:3, :3]
        else:
            goal[:3, 3] += axis * motion.amount
        return goal

    def _line(self, q: Array, goal: Array) -> Array:
        """Return (m, n): from q to the tool pose `goal` in a straight line, as quickly as the limits allow."""
        start = self._kinematics.forward(q)
        way, turn = goal[:3, 3] - start[:3, 3], pinocchio.log3(goal[:3, :3] @ start[:3, :3].T)
        parameters = self._parameters
        length, angle = float(np.linalg.norm(way)), float(np.linalg.norm(turn))
        shares = [
            (length / parameters.speed_m_s, angle / parameters.turn_speed_rad_s),
            (length / TOOL_ACCELERATION_M_S2, angle / TURN_ACCELERATION_RAD_S2),
            (length / TOOL_JERK_M_S3, angle / TURN_JERK_RAD_S3),
        ]
        duration_s = max(
            (peak * max(share)) ** (1 / order)
            for order, (peak, share) in enumerate(zip(QUINTIC_PEAKS, shares, strict=True), start=1)
        )
        for _ in range(TRIES):
            rows = self._sampled(q, start, way, turn, max(duration_s, 5 * ROW_S))
            if self._inside(rows):
                return rows
            duration_s *= SLOWER
        raise MotionImpossible("the arm would have to move its joints too fast: it is near a singular pose")

    def _sampled(self, q: Array, start: Array, way: Array, turn: Array, duration_s: float) -> Array:
        count = math.ceil(duration_s / ROW_S)
        rows = np.empty((count + 1, len(q)))
        rows[0] = q
        room = self._room(q)
        for row in range(1, count + 1):
            u = row / count
            share = u**3 * (10 - 15 * u + 6 * u**2)
            pose = start.copy()
            pose[:3, 3] += share * way
            pose[:3, :3] = pinocchio.exp3(share * turn) @ start[:3, :3]
            rows[row] = self._kinematics.follow(pose, rows[row - 1])
            self._check_reached(rows[row], pose, share, room)
        return rows

    def _room(self, q: Array) -> Array:
        """Return the distance of every joint of the arm from its nearer limit, rad."""
        room: Array = np.minimum(q - self._kinematics.lower, self._kinematics.upper - q)[self._kinematics.arm]
        return room

    def _check_reached(self, q: Array, pose: Array, share: float, room_at_start: Array) -> None:
        """Raise MotionImpossible where a joint comes too near to a limit or the tool is not at `pose`."""
        kinematics = self._kinematics
        lacking = np.minimum(room_at_start, LIMIT_MARGIN) - self._room(q)  # away from a limit the arm may always go
        if lacking.max() > 1e-9:
            name = kinematics.joint_names[kinematics.arm[int(lacking.argmax())]]
            raise MotionImpossible(f"{name} would reach its limit after {100 * share:.0f} % of the way")
        reached = kinematics.forward(q)
        error = max(
            float(np.abs(reached[:3, 3] - pose[:3, 3]).max()),
            float(np.abs(pinocchio.log3(pose[:3, :3] @ reached[:3, :3].T)).max()),
        )
        if not error < POSE_TOLERANCE:
            raise MotionImpossible(f"the arm cannot reach farther than {100 * share:.0f} % of the way")

    def _inside(self, rows: Array) -> bool:
        """Return whether every joint of the arm keeps its limits, from rest to rest."""
        arm = np.concatenate([rows[:1].repeat(3, axis=0), rows, rows[-1:].repeat(3, axis=0)])[:, self._kinematics.arm]
        for limit in self._limits[:, self._kinematics.arm]:
            arm = np.diff(arm, axis=0) / ROW_S
            if (np.abs(arm) > limit).any():
                return False
        return True


@dataclass(frozen=True)
class WalkStep:
    """Where a motion stands. rows: the next of them; None: it has ended. failure: why it was given up; empty: it was not."""

    rows: Array | None
    progress: float
    waiting: str = ""
    failure: str = ""


class MotionWalk:
    """Walks along rows as time goes on, and waits where the arm does not follow.

    Args:
        rows: (m, n) of `MotionPlanner.rows`.
        kinematics: of the arm.
    """

    def __init__(self, rows: Array, kinematics: Kinematics) -> None:
        self._rows, self._kinematics = rows, kinematics
        self._elapsed_s = self._waited_s = 0.0
        self._stamp_ns: int | None = None

    def step(self, stamp_ns: int, joint_state: JointState) -> WalkStep:
        """Go on to the time of the frames. Args: stamp_ns: of the frames, ROS time, ns. joint_state: measured then."""
        passed_s = 0.0
        if self._stamp_ns is not None:
            passed_s = min(max(stamp_ns - self._stamp_ns, 0) / NS_PER_S, LONGEST_STEP_S)
        self._stamp_ns = stamp_ns
        arm = self._kinematics.arm
        at = self._at(self._elapsed_s)[arm]
        speed = np.abs(self._at(self._elapsed_s + ROW_S)[arm] - at) / ROW_S
        behind = np.abs(joint_state.q[arm] - at)
        late = self._kinematics.joint_names[arm[int(behind.argmax())]]
        end_s = (len(self._rows) - 1) * ROW_S
        ending = self._elapsed_s >= end_s
        follows = bool((behind <= (ARRIVED_RAD if ending else FOLLOWS_RAD) + LAG_S * speed).all())
        if ending and follows:
            return WalkStep(None, 1.0)
        if follows:
            self._elapsed_s = min(self._elapsed_s + passed_s, end_s)
            self._waited_s = 0.0
        elif joint_state.may_move:
            self._waited_s += passed_s
        progress = min(self._elapsed_s / max(end_s, ROW_S), 1.0)
        waiting = "" if follows else f"waiting for {late}: it is {behind.max():.2f} away from the motion"
        if self._waited_s > PATIENCE_S:
            return WalkStep(
                None, progress, failure=f"the arm did not follow the motion: {late} is {behind.max():.2f} away"
            )
        # While the arm does not follow, the plan asks for one place, not for motion.
        rate = float(follows)
        rows = np.array([self._at(self._elapsed_s + rate * row * ROW_S) for row in range(PLAN_ROWS)])
        return WalkStep(rows, progress, waiting)

    def path(self) -> Array:
        """Return (k, 7): poses of the tool on the rest of the way, for people."""
        first = int(self._elapsed_s / ROW_S)
        rows = [*self._rows[first::PATH_ROWS], self._rows[-1]]
        poses = [self._kinematics.forward(np.nan_to_num(row)) for row in rows]
        return np.array([pinocchio.SE3ToXYZQUAT(pinocchio.SE3(pose)) for pose in poses])

    def _at(self, time_s: float) -> Array:
        at = min(max(time_s / ROW_S, 0.0), len(self._rows) - 1.0)
        low = int(at)
        high = min(low + 1, len(self._rows) - 1)
        value: Array = self._rows[low] + (at - low) * (self._rows[high] - self._rows[low])
        return value


class MotionSequence:
    """Motions one after the other, each planned from where the arm is when it begins.

    Args:
        planner: makes the rows.
        kinematics: of the arm.
        motions: at least one.
        place: see `MotionPlanner.rows`.
        q: (n,) where the arm is now.

    Raises:
        MotionImpossible: one of them is impossible, the others before it being done.
    """

    def __init__(
        self,
        planner: MotionPlanner,
        kinematics: Kinematics,
        motions: Sequence[MetricMotion],
        place: Array | None,
        q: Array,
    ) -> None:
        self._planner, self._kinematics, self._motions, self._place = planner, kinematics, motions, place
        at, self._first = q, np.zeros((0, 0))
        for number, motion in enumerate(motions):
            rows = planner.rows(at, motion, place)
            if not number:
                self._first = rows
            at = np.where(np.isnan(rows[-1]), at, rows[-1])
        self._number = 0
        self._walk: MotionWalk | None = None

    def step(self, stamp_ns: int, joint_state: JointState) -> WalkStep:
        """Go on; see `MotionWalk.step`."""
        while self._number < len(self._motions):
            if self._walk is None:
                try:
                    motion, rows = self._motions[self._number], self._first
                    if self._number:
                        rows = self._planner.rows(joint_state.q, motion, self._place)
                except MotionImpossible as error:
                    return WalkStep(None, self._number / len(self._motions), failure=str(error))
                self._walk = MotionWalk(rows, self._kinematics)
            step = self._walk.step(stamp_ns, joint_state)
            progress = (self._number + step.progress) / len(self._motions)
            if step.rows is not None or step.failure:
                return replace(step, progress=progress)
            self._number += 1
            self._walk = None
        return WalkStep(None, 1.0)

    def path(self) -> Array:
        """Return (k, 7): poses of the tool on the rest of the present motion, for people."""
        return np.zeros((0, 7)) if self._walk is None else self._walk.path()
