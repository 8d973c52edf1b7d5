"""System 1s for the worker's tests, importable by its child process."""

from __future__ import annotations

import time

import numpy as np

from vla_ros.policies.contract import Chunk, JointState, Plan


class Moody:
    """Fails for the instruction "fail", else stands still."""

    checkpoint = "mood"
    dt_s = 0.02

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        if plan.instruction.text == "fail":
            raise ValueError("asked to fail")
        return Chunk(np.zeros((2, 2)), self.dt_s, start_ns, plan.plan_id, plan.frame_stamp_ns)


class Stuck(Moody):
    """Never answers "stick"."""

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        if plan.instruction.text == "stick":
            time.sleep(60.0)
        return super().chunk(plan, joint_state, previous, prefix_length, start_ns)


class Slow:
    def __init__(self) -> None:
        time.sleep(1.0)


class Echo(Moody):
    """Answers with the sum of the plan's data."""

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        return Chunk(np.full((2, 2), float(plan.data.sum())), self.dt_s, start_ns, plan.plan_id, plan.frame_stamp_ns)
