"""Policies: System 2 plans, System 1 moves. `contract` is what they exchange, `registry` makes them by name."""

from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState, System1, System2
from vla_ros.policies.registry import Policy, Robot, names, policy, system1, system2

__all__ = [
    "CameraHealth",
    "CameraView",
    "Chunk",
    "Frames",
    "Instruction",
    "JointState",
    "Plan",
    "PlanState",
    "Policy",
    "Robot",
    "System1",
    "System2",
    "names",
    "policy",
    "system1",
    "system2",
]
