"""System 1 of the split families: the newest plan and the newest joint state become a chunk."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from vla_ros.arrays import Array
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.contract import Chunk, JointState, Plan
from vla_ros.policies.registry import Robot
from vla_ros.policies.split.flow_integration import Prefix, integrate
from vla_ros.policies.split.halves import ExpertHalf
from vla_ros.policies.split.split_parameters import SplitParameters
from vla_ros.policies.transition import Transition


class SplitSystem1:
    """The expert of a model as System 1; see `contract.System1`.

    Each chunk begins with the same noise, so that neighbouring chunks differ by what was observed alone. With real-time
    chunking the flow is told what is played meanwhile; then the rows are joined to those that play by `Transition`, inside
    the limits, as with every policy.

    Args:
        half: of a family.
        robot: the arm.
        parameters: of the family.

    Raises:
        ParameterError: the checkpoint does not fit to the robot.
    """

    def __init__(self, half: ExpertHalf, robot: Robot, parameters: SplitParameters) -> None:
        self.half, self.checkpoint = half, half.checkpoint
        self.binding = Binding(half.contract, robot, parameters.binding, None)
        self.dt_s = 1.0 / self.binding.rate_hz
        self._first_row = int(self.binding.begins_later)
        """Row of the chunk that the model's first action is."""
        self._chunking = parameters.real_time_chunking
        self._steps = parameters.euler_steps or half.steps
        self.transition = Transition.of(parameters.motion, self.binding.joints.kinematics)
        generator = torch.Generator().manual_seed(parameters.seed)
        noise = torch.randn(half.noise_shape, generator=generator, dtype=torch.float32)
        self.noise = noise.to(parameters.device)
        self._plan: Plan | None = None
        self._context: Any = None

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        """Return the next chunk."""
        if plan is not self._plan:
            self._context = self.half.context(plan)
            self._plan = plan
        state = None if self.binding.contract.state is None else self.binding.state(joint_state)
        prefix_length = min(prefix_length, len(previous.positions))
        with torch.no_grad():
            velocity = self.half.velocity(self._context, state)
            prefix = self._prefix(previous, prefix_length, joint_state.q)
            noise = self.noise.to(self.half.noise_dtype)
            flowed = integrate(velocity, noise, self._steps, self.half.flow, prefix)
        rows = self.binding.positions(self.half.actions(flowed)[: self.half.rows], joint_state.q)
        if self._first_row:
            rows = np.vstack([joint_state.q, rows])
        positions = self.transition.onto(rows, previous.positions, prefix_length, self.dt_s)
        return Chunk(
            positions,
            self.dt_s,
            start_ns,
            plan_id=plan.plan_id,
            frame_stamp_ns=plan.frame_stamp_ns,
            prefix_length=prefix_length,
        )

    def _prefix(self, previous: Chunk, prefix_length: int, q: Array) -> Prefix | None:
        """Return the previous chunk as the flow knows it; None where it came from rest or nothing is to be guided."""
        given = previous.positions[self._first_row :][: self.half.noise_shape[1]]
        if self._chunking.form == "off" or not previous.chunk_id or not len(given):
            return None
        actions = self.half.normalized(self.binding.actions(given, q))
        fixed = max(prefix_length - self._first_row, 0)
        return Prefix(
            actions,
            fixed,
            max(fixed, min(len(given), self.half.noise_shape[1] - self._chunking.execution_horizon)),
            self._chunking.schedule,
            self._chunking.max_guidance_weight,
            trained=self._chunking.form == "trained",
        )
