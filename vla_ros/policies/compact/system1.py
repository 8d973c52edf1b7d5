"""System 1 of `compact`: latent tokens, waypoints and the motion of the hand become the next 0.6 s, by flow matching.

Flow time runs from 0 (noise) to 1 (action). Committed rows have flow time 1 in every step (training-time real-time
chunking, arXiv 2512.05964). Actions are motions of the tool relative to row 0, normalised with the statistics of the
checkpoint; inverse kinematics makes joint positions of them.
"""

from __future__ import annotations

import math

import numpy as np
import pinocchio
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.policies import waypoints
from vla_ros.policies.classical.straight_line import StraightLine
from vla_ros.policies.compact.checkpoint import bind, load
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.compact.features import (
    MAX_PLAN_AGE_S,
    motion_features,
    pointing_down,
    waypoint_features,
    yaw_of,
)
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.policies.compact.model_config import ACTION_DIM, MAX_PREFIX_ROWS
from vla_ros.policies.compact.sentences import helper_parameters
from vla_ros.policies.compact.smoothing import smooth
from vla_ros.policies.continuation import around
from vla_ros.policies.contract import Chunk, JointState, Plan
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.policies.registry import Robot
from vla_ros.robot.kinematics import CENTERING_PER_M, Kinematics
from vla_ros.time import NS_PER_S

POINT_PERIOD_S = 0.02  # between the points of a chunk; rows of the network are a whole number of these apart
FINGER_MARGIN_M = 0.0004  # between fingers and their position limits
FINGER_M_S, FINGER_M_S2 = 0.07, 0.6  # largest velocity and acceleration of one finger
FINGER_STIFFNESS = 60.0  # see `smooth`: fingers may lag, but must not jerk
LAG_S = 0.03  # that an arm is behind its command, in training


class CompactSystem1:
    """The moving half.

    Args:
        robot: the arm.
        parameters: options of the policy.

    Raises:
        ParameterError: there is no such checkpoint.
        JointNamesError: it is of another robot.
    """

    dt_s = POINT_PERIOD_S

    def __init__(self, robot: Robot, parameters: CompactParameters) -> None:
        checkpoint = load(folder_of(parameters))
        self.checkpoint = checkpoint.hash
        bind(checkpoint, robot.joint_names)
        self._finger = list(robot.joint_names).index(checkpoint.gripper)
        self._sizes, self._mean, self._std = checkpoint.sizes, checkpoint.mean, checkpoint.std
        self._stride = round(self._sizes.dt_s / POINT_PERIOD_S)
        self._parameters = parameters
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._graphs = Graphs(checkpoint, ("flow",))
        self._helper = StraightLine(robot, helper_parameters(parameters, checkpoint.gripper))
        # The same noise for all chunks: consecutive chunks then agree where the training data allow several motions.
        rng = np.random.default_rng(parameters.seed)
        self._noise = parameters.noise * rng.standard_normal((self._sizes.rows, ACTION_DIM))

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        """Return the next chunk; see `contract.System1`. Plans of the helper are waypoints, which it follows itself."""
        if plan.kind == waypoints.KIND:
            return self._helper.chunk(plan, joint_state, previous, prefix_length, start_ns)
        kinematics = self._kinematics
        # With more rows than in training, the rows after them begin with several times the acceleration.
        longest = min(MAX_PREFIX_ROWS, self._sizes.rows - 1) * self._stride
        fixed = previous.positions[: min(max(prefix_length, 1), longest)]
        prefix_length = min(prefix_length, len(fixed))
        history = around(previous.positions, (len(fixed) - 1) // self._stride * self._stride)
        tools = np.stack([kinematics.forward(q) for q in fixed])
        prefix = self._relative(tools, fixed[:, self._finger], tools[0])
        age_s = (start_ns - plan.frame_stamp_ns) / NS_PER_S
        rows = self._sample(
            prefix[:: self._stride], *self._features(plan, joint_state, history, tools[0], age_s), self._latents(plan)
        )
        rows[:, -1] = self._limit_gripper(rows[:, -1], (len(prefix) - 1) // self._stride + 1)
        hand = smooth(rows[:, :-1], self._stride, prefix[:, :-1])
        points = np.column_stack([hand, smooth(rows[:, -1:], self._stride, prefix[:, -1:], FINGER_STIFFNESS)])
        return Chunk(
            self._joints(points, tools[0], fixed),
            POINT_PERIOD_S,
            start_ns,
            plan_id=plan.plan_id,
            frame_stamp_ns=plan.frame_stamp_ns,
            prefix_length=prefix_length,
        )

    def _latents(self, plan: Plan) -> NDArray[np.float32]:
        return np.asarray(plan.data, np.float32)[: self._sizes.latents]

    def _features(
        self, plan: Plan, joint_state: JointState, history: Array, anchor: Array, age_s: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return features of the waypoints (waypoints, WAYPOINT_FEATURES) and of the motion (MOTION_FEATURES,).

        Args:
            history: (3, n) joints before, at and after the last committed row.
            anchor: (4, 4) tool pose of row 0, which everything is relative to.
            age_s: of the plan.
        """
        rows = np.asarray(plan.data, np.float64)[self._sizes.latents :, :6]
        p = rows[:, :3] + (0.0, 0.0, self._parameters.table_height_m) - anchor[:3, 3]
        yaw = rows[:, 3] - yaw_of(anchor[:3, :3])
        waypoints = waypoint_features(p, yaw, rows[:, 4], rows[:, 5], np.zeros(3), np.zeros(()))
        tools = [self._kinematics.forward(q) for q in history]
        rotations = [pinocchio.log3(tools[1][:3, :3].T @ tool[:3, :3]) for tool in tools]
        # The hand points down: a turn about its own z is a turn about the base's -z.
        turn, finger = -np.array([vector[2] for vector in rotations]), history[:, self._finger]
        positions = np.array([tool[:3, 3] for tool in tools])
        velocity = (positions[2] - positions[0]) / (2 * POINT_PERIOD_S)
        acceleration = (positions[2] - 2 * positions[1] + positions[0]) / POINT_PERIOD_S**2
        yaw_rates = np.array(
            [(turn[2] - turn[0]) / (2 * POINT_PERIOD_S), (turn[2] - 2 * turn[1] + turn[0]) / POINT_PERIOD_S**2]
        )
        upright = pointing_down(yaw_of(tools[1][:3, :3]))
        tilt = pinocchio.log3(upright @ tools[1][:3, :3].T)[:2]
        motion = motion_features(
            velocity,
            acceleration,
            yaw_rates,
            tilt,
            np.array([finger[1], (finger[2] - finger[0]) / (2 * POINT_PERIOD_S), joint_state.q[self._finger]]),
            -LAG_S * velocity,
            np.array(np.clip(age_s, 0.0, MAX_PLAN_AGE_S)),
        )
        return waypoints.astype(np.float32), motion.astype(np.float32)

    def _sample(
        self, prefix: Array, waypoints: NDArray[np.float32], motion: NDArray[np.float32], latents: NDArray[np.float32]
    ) -> Array:
        """Return (rows, ACTION_DIM) by Euler steps from noise; the first rows are `prefix` (k, ACTION_DIM)."""
        count = len(prefix)
        clean = (prefix - self._mean[:count]) / self._std[:count]
        x, time = self._noise.copy(), np.zeros(self._sizes.rows)
        x[:count], time[:count] = clean, 1.0
        steps = self._parameters.euler_steps
        for step in range(steps):
            time[count:] = step / steps
            batch = (x, time, waypoints, motion, latents)
            (velocity,) = self._graphs("flow", *(np.asarray(value, np.float32)[None] for value in batch))
            x[count:] += velocity[0, count:] / steps
        return x * self._std + self._mean

    def _limit_gripper(self, fingers: Array, prefix_rows: int) -> Array:
        """Return fingers (rows,) within limits of position, velocity and acceleration that are tighter than the filter's."""
        kinematics, dt_s = self._kinematics, self._sizes.dt_s
        lower, upper = (
            kinematics.lower[self._finger] + FINGER_MARGIN_M,
            kinematics.upper[self._finger] - FINGER_MARGIN_M,
        )
        result = fingers.tolist()
        step = result[prefix_rows - 1] - result[prefix_rows - 2] if prefix_rows > 1 else 0.0
        max_change = FINGER_M_S2 * dt_s**2
        for row in range(prefix_rows, len(result)):
            remaining = min(max(result[row], lower), upper) - result[row - 1]
            max_step = dt_s * min(FINGER_M_S, math.sqrt(2 * FINGER_M_S2 * abs(remaining)))
            step = min(max(min(max(remaining, -max_step), max_step), step - max_change), step + max_change)
            result[row] = result[row - 1] + step
        return np.array(result)

    def _relative(self, tools: Array, fingers: Array, anchor: Array) -> Array:
        """Return actions (k, ACTION_DIM) of tool poses (k, 4, 4) and fingers (k,), relative to the pose `anchor`."""
        turns = [pinocchio.log3(tool[:3, :3] @ anchor[:3, :3].T) for tool in tools]
        return np.column_stack([tools[:, :3, 3] - anchor[:3, 3], turns, fingers])

    def _joints(self, points: Array, anchor: Array, fixed: Array) -> Array:
        """Return joint positions (m, n) of points (m, ACTION_DIM) relative to the pose `anchor`; the first are `fixed`."""
        kinematics = self._kinematics
        positions = np.empty((len(points), fixed.shape[1]))
        positions[: len(fixed)] = fixed
        max_step = kinematics.velocity * POINT_PERIOD_S
        pulls = (CENTERING_PER_M * np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1)).tolist()
        for row in range(len(fixed), len(points)):
            pose = anchor.copy()
            pose[:3, 3] += points[row, :3]
            pose[:3, :3] = pinocchio.exp3(points[row, 3:6]) @ anchor[:3, :3]
            step = kinematics.follow(pose, positions[row - 1], pulls[row - 1]) - positions[row - 1]
            # Where the arm is nearly straight the joints would exceed their velocity limits: then the tool lags.
            q = positions[row - 1] + step / max(1.0, float(np.abs(step / max_step).max()))
            q[self._finger] = points[row, 6]
            positions[row] = np.minimum(np.maximum(q, kinematics.lower), kinematics.upper)
        return positions
