"""System 1 of `compact`: latent tokens, waypoints and the arm's own motion become the next 0.6 s, by flow matching.

Flow time runs from 0 (noise) to 1 (action). Rows that are committed stand at time 1 in every step (training-time
real-time chunking, arXiv 2512.05964). Actions are motions of the tool relative to row 0, divided by the statistics of
the checkpoint; they become joint positions by inverse kinematics.
"""

from __future__ import annotations

import math

import numpy as np
import pinocchio
from numpy.typing import NDArray

from vla_ros.policies.compact.checkpoint import bind, load
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.compact.features import (
    LONGEST_AGE_S,
    ahead_features,
    moving_features,
    pointing_down,
    yaw_of,
)
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.policies.compact.model_config import ACTION, MOST_COMMITTED
from vla_ros.policies.compact.smoothing import smooth
from vla_ros.policies.continuation import around
from vla_ros.policies.contract import Chunk, JointState, Plan
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.policies.registry import Robot
from vla_ros.robot.kinematics import PULL, Kinematics
from vla_ros.time import NS_PER_S

Array = NDArray[np.float64]

FINEST_S = 0.02  # between the points of a chunk; rows of the network are a whole number of these apart
FINGER_MARGIN_M = 0.0004  # between fingers and their stops
FINGER_M_S, FINGER_M_S2 = 0.07, 0.6  # that fingers move and speed up at most, of one finger
FINGER_STIFFNESS = 60.0  # see `smooth`: fingers may lag, they must not jerk


class CompactSystem1:
    """The moving half. Args: robot: the arm. parameters: options of the policy.

    Raises:
        ParameterError: there is no such checkpoint. JointNamesError: it is of another robot.
    """

    dt_s = FINEST_S

    def __init__(self, robot: Robot, parameters: CompactParameters) -> None:
        checkpoint = load(folder_of(parameters))
        self.checkpoint = checkpoint.hash
        bind(checkpoint, robot.joint_names)
        self._finger = list(robot.joint_names).index(checkpoint.gripper)
        self._sizes, self._mean, self._std = checkpoint.sizes, checkpoint.mean, checkpoint.std
        self._stride = round(self._sizes.dt_s / FINEST_S)
        self._parameters = parameters
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._graphs = Graphs(checkpoint, ("flow",))
        # One noise for all chunks: consecutive chunks then agree where the data leave a choice.
        rng = np.random.default_rng(parameters.seed)
        self._noise = parameters.noise * rng.standard_normal((self._sizes.rows, ACTION))

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, delay: int, start_ns: int) -> Chunk:
        """Return the next chunk; see `contract.System1`."""
        kinematics = self._kinematics
        # With more than it was trained with, what follows them leaves with several times the acceleration.
        longest = min(MOST_COMMITTED, self._sizes.rows - 1) * self._stride
        fixed = previous.positions[: min(max(delay, 1), longest)]
        delay = min(delay, len(fixed))
        history = around(previous.positions, (len(fixed) - 1) // self._stride * self._stride)
        tools = np.stack([kinematics.forward(q) for q in fixed])
        before = self._relative(tools, fixed[:, self._finger], tools[0])
        age_s = (start_ns - plan.frame_stamp_ns) / NS_PER_S
        rows = self._sample(
            before[:: self._stride], *self._features(plan, joint_state, history, tools[0], age_s), self._latents(plan)
        )
        rows[:, -1] = self._calmed(rows[:, -1], (len(before) - 1) // self._stride + 1)
        hand = smooth(rows[:, :-1], self._stride, before[:, :-1])
        points = np.column_stack([hand, smooth(rows[:, -1:], self._stride, before[:, -1:], FINGER_STIFFNESS)])
        return Chunk(
            self._joints(points, tools[0], fixed),
            FINEST_S,
            start_ns,
            plan_id=plan.plan_id,
            frame_stamp_ns=plan.frame_stamp_ns,
            frozen=delay,
        )

    def _latents(self, plan: Plan) -> NDArray[np.float32]:
        return np.asarray(plan.data, np.float32)[: self._sizes.latents]

    def _features(
        self, plan: Plan, joint_state: JointState, history: Array, anchor: Array, age_s: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what the network is told of the waypoints and of the motion; everything relative to `anchor`."""
        ahead = np.asarray(plan.data, np.float64)[self._sizes.latents :, :6]
        p = ahead[:, :3] + (0.0, 0.0, self._parameters.table_height_m) - anchor[:3, 3]
        yaw = ahead[:, 3] - yaw_of(anchor[:3, :3])
        way = ahead_features(p, yaw, ahead[:, 4], ahead[:, 5], np.zeros(3), np.zeros(()))
        tools = [self._kinematics.forward(q) for q in history]
        turn = [pinocchio.log3(tools[1][:3, :3].T @ tool[:3, :3]) for tool in tools]
        # The hand points down: a turn about its own z is a turn about the base's -z.
        spun, finger = -np.array([vector[2] for vector in turn]), history[:, self._finger]
        places = np.array([tool[:3, 3] for tool in tools])
        velocity = (places[2] - places[0]) / (2 * FINEST_S)
        acceleration = (places[2] - 2 * places[1] + places[0]) / FINEST_S**2
        turning = np.array([(spun[2] - spun[0]) / (2 * FINEST_S), (spun[2] - 2 * spun[1] + spun[0]) / FINEST_S**2])
        upright = pointing_down(yaw_of(tools[1][:3, :3]))
        tilt = pinocchio.log3(upright @ tools[1][:3, :3].T)[:2]
        lag = -0.03 * velocity
        moving = moving_features(
            velocity,
            acceleration,
            turning,
            tilt,
            np.array([finger[1], (finger[2] - finger[0]) / (2 * FINEST_S), joint_state.q[self._finger]]),
            lag,
            np.array(np.clip(age_s, 0.0, LONGEST_AGE_S)),
        )
        return way.astype(np.float32), moving.astype(np.float32)

    def _sample(
        self, committed: Array, way: NDArray[np.float32], moving: NDArray[np.float32], latents: NDArray[np.float32]
    ) -> Array:
        """Return (rows, ACTION) by Euler steps from noise; the first rows are `committed` (k, ACTION)."""
        count = len(committed)
        clean = (committed - self._mean[:count]) / self._std[:count]
        x, time = self._noise.copy(), np.zeros(self._sizes.rows)
        x[:count], time[:count] = clean, 1.0
        steps = self._parameters.euler_steps
        for step in range(steps):
            time[count:] = step / steps
            batch = (x, time, way, moving, latents)
            (velocity,) = self._graphs("flow", *(np.asarray(value, np.float32)[None] for value in batch))
            x[count:] += velocity[0, count:] / steps
        return x * self._std + self._mean

    def _calmed(self, fingers: Array, committed: int) -> Array:
        """Return fingers (rows,) that stop short of their stops and keep to a speed and an acceleration: a limit is not
        to be run into."""
        kinematics, dt_s = self._kinematics, self._sizes.dt_s
        lower, upper = (
            kinematics.lower[self._finger] + FINGER_MARGIN_M,
            kinematics.upper[self._finger] - FINGER_MARGIN_M,
        )
        result = fingers.tolist()
        way, change = result[committed - 1] - result[committed - 2] if committed > 1 else 0.0, FINGER_M_S2 * dt_s**2
        for row in range(committed, len(result)):
            left = min(max(result[row], lower), upper) - result[row - 1]
            most = dt_s * min(FINGER_M_S, math.sqrt(2 * FINGER_M_S2 * abs(left)))
            way = min(max(min(max(left, -most), most), way - change), way + change)
            result[row] = result[row - 1] + way
        return np.array(result)

    def _relative(self, tools: Array, fingers: Array, anchor: Array) -> Array:
        """Return (k, ACTION) of tool poses (k, 4, 4) and fingers (k,)."""
        turns = [pinocchio.log3(tool[:3, :3] @ anchor[:3, :3].T) for tool in tools]
        return np.column_stack([tools[:, :3, 3] - anchor[:3, 3], turns, fingers])

    def _joints(self, points: Array, anchor: Array, fixed: Array) -> Array:
        """Return joint positions (m, n) of points (m, ACTION); the first are `fixed`."""
        kinematics = self._kinematics
        positions = np.empty((len(points), fixed.shape[1]))
        positions[: len(fixed)] = fixed
        fastest = kinematics.velocity * FINEST_S
        pulls = (PULL * np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1)).tolist()
        for row in range(len(fixed), len(points)):
            pose = anchor.copy()
            pose[:3, 3] += points[row, :3]
            pose[:3, :3] = pinocchio.exp3(points[row, 3:6]) @ anchor[:3, :3]
            step = kinematics.follow(pose, positions[row - 1], pulls[row - 1]) - positions[row - 1]
            # Nearly straight, the arm would have to be quicker than it is: it comes after.
            q = positions[row - 1] + step / max(1.0, float(np.abs(step / fastest).max()))
            q[self._finger] = points[row, 6]
            positions[row] = np.minimum(np.maximum(q, kinematics.lower), kinematics.upper)
        return positions
