"""System 1 of any policy beneath a VLM: plays Cartesian motions, and leaves all else to the policy's own System 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vla_ros.parameters import from_mapping
from vla_ros.policies import registry
from vla_ros.policies.action_player import sample
from vla_ros.policies.contract import Chunk, JointState, Plan, System1
from vla_ros.policies.registry import Robot
from vla_ros.policies.transition import Transition
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
        self._transition = Transition(joint_limits(kinematics, options), kinematics.arm)

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
        count = max(round(CHUNK_S / self.dt_s), len(start) + 1)
        course = np.array([sample(rows, age_s + row * self.dt_s, ROW_S) for row in range(count)])
        positions = self._transition.onto(course, previous.positions, prefix_length, self.dt_s)
        return Chunk(
            positions,
            self.dt_s,
            start_ns,
            plan_id=plan.plan_id,
            frame_stamp_ns=plan.frame_stamp_ns,
            prefix_length=prefix_length,
        )


def system1_beneath_vlm(name: str, robot: Robot, options: Mapping[str, Any] | None = None) -> System1:
    """Make the moving half of policy `name` beneath a VLM; raises like `registry.system1`."""
    policy = registry.system1(name, robot, options)
    return MotionPlayer(policy, robot, from_mapping(registry.policy(name).parameters, options or {}, f"{name}."))
