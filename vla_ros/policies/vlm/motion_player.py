"""System 1 of any policy beneath a VLM: plays Cartesian motions, and leaves all else to the policy's own System 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import from_mapping
from vla_ros.policies import registry
from vla_ros.policies.continuation import around, to_rest
from vla_ros.policies.contract import Chunk, JointState, Plan, System1
from vla_ros.policies.registry import Robot
from vla_ros.policies.vlm.cartesian_motion import KIND, ROW_S, joint_limits
from vla_ros.robot.kinematics import Kinematics
from vla_ros.time import NS_PER_S

CHUNK_S = 0.7


class MotionPlayer:
    """Plays plans of kind "motion", whatever the policy is; see `cartesian_motion.KIND`.

    Args:
        policy: the policy's System 1, which gets every other plan.
        robot: the arm.
        options: the policy's parameters; their `motion` tells the limits.
    """

    def __init__(self, policy: System1, robot: Robot, options: object) -> None:
        self._policy = policy
        self.checkpoint, self.dt_s = policy.checkpoint, policy.dt_s
        kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._limits = joint_limits(kinematics, options)

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        """Return the next 0.7 s; see `contract.System1`."""
        if plan.kind != KIND:
            return self._policy.chunk(plan, joint_state, previous, prefix_length, start_ns)
        rows = np.array(plan.data, np.float64)
        if rows.ndim != 2 or not len(rows) or rows.shape[1] != len(joint_state.q) or np.isinf(rows).any():
            raise ValueError(
                f"motion: expected rows of {len(joint_state.q)} finite values or NaN, got shape {rows.shape}"
            )
        prefix_length = min(prefix_length, len(previous.positions))
        start = previous.positions[: max(prefix_length, 1)]
        rows = np.where(np.isnan(rows), start[-1], rows)
        age_s = (start_ns - plan.frame_stamp_ns) / NS_PER_S
        return Chunk(
            self._led(rows, start, around(previous.positions, len(start) - 1), age_s),
            self.dt_s,
            start_ns,
            plan_id=plan.plan_id,
            frame_stamp_ns=plan.frame_stamp_ns,
            prefix_length=prefix_length,
        )

    def _led(self, rows: Array, start: Array, history: Array, age_s: float) -> Array:
        """Return (m, n): `start`, and from its last row on the rows, onto which the offset at that row dies out."""
        now = len(start) - 1
        offset = np.array([history[i] - _sample(rows, age_s + (now + i - 1) * self.dt_s) for i in range(3)])
        way = to_rest(offset, self.dt_s, np.zeros(offset.shape[1]), *(self._limits / 2))
        positions = np.empty((max(round(CHUNK_S / self.dt_s), len(start) + 1), rows.shape[1]))
        positions[: len(start)] = start
        for row in range(len(start), len(positions)):
            ahead_s = (row - now) * self.dt_s
            positions[row] = _sample(rows, age_s + row * self.dt_s) + way.at_time(ahead_s)[0]
        return positions


def system1_beneath_vlm(name: str, robot: Robot, options: Mapping[str, Any] | None = None) -> System1:
    """Make the moving half of policy `name` beneath a VLM; raises like `registry.system1`."""
    policy = registry.system1(name, robot, options)
    return MotionPlayer(policy, robot, from_mapping(registry.policy(name).parameters, options or {}, f"{name}."))


def _sample(rows: Array, time_s: float) -> Array:
    """Return (n,): the rows, ROW_S apart, at `time_s`, by the cubic through the four around it; held beyond the ends."""
    at = min(max(time_s / ROW_S, 0.0), len(rows) - 1.0)
    index = int(at)
    u = at - index
    a, b, c, d = rows[np.clip(np.arange(index - 1, index + 3), 0, len(rows) - 1)]
    value: Array = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
    return value
