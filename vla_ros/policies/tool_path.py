"""The path of the tool that a plan of joint positions means, for people and RViz."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pinocchio

from vla_ros.policies.contract import Plan
from vla_ros.robot.kinematics import Kinematics

JOINT_KINDS = ("actions", "motion")
"""Kinds of plans whose data are rows of joint positions."""
POSES = 12
"""Of a path, at most."""


def with_tool_path(plan: Plan, kinematics: Kinematics) -> Plan:
    """Return a plan of joint positions with the tool's poses as its `path`; one with a path, or of another kind, as it is.

    Args:
        plan: of any policy. kinematics: of the arm whose joints the rows are for.
    """
    rows = np.asarray(plan.data)
    if plan.kind not in JOINT_KINDS or len(plan.path) or rows.ndim != 2 or not len(rows):
        return plan
    numbers = rows.dtype.kind == "f" and rows.shape[1] == len(kinematics.joint_names)
    if not numbers or not np.isfinite(rows[:, kinematics.arm]).all():
        return plan  # System 1 says what is wrong with it
    chosen = np.unique(np.linspace(0, len(rows) - 1, POSES).round().astype(int))
    poses = [pinocchio.SE3(kinematics.forward(np.asarray(rows[row], np.float64))) for row in chosen]
    return replace(plan, path=np.array([pinocchio.SE3ToXYZQUAT(pose) for pose in poses]))
