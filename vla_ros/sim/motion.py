"""Smooth motion of the simulated arm's tool to a goal that may change at any time, as joint positions."""

from __future__ import annotations

import math

import numpy as np
import pinocchio
from ruckig import InputParameter, OutputParameter, Ruckig, Synchronization

from vla_ros.arrays import Array
from vla_ros.robot.kinematics import CENTERING_PER_M, Kinematics
from vla_ros.sim.arm_description import JOINT_NAMES
from vla_ros.sim.phases import ToolGoal

DT_S = 0.02
ACCELERATION, JERK = 0.6, 6.0  # of the tool, m/s^2, m/s^3
TURN = (1.0, 2.0, 20.0)  # rad/s, rad/s^2, rad/s^3
FINGER = (0.08, 0.6, 12.0)  # m/s, m/s^2, m/s^3
LEAST_SHARE = 0.2  # of the speed that every axis may have
DOWN = np.diag([1.0, -1.0, -1.0])


class ToolMotion:
    """Tool pose (x, y, z, yaw, two tilts) and finger, limited in velocity, acceleration and jerk.

    Attributes:
        q: (8,) joint positions now.
        commanded_tool: (4,) x y z yaw of the tool at q.
    """

    def __init__(self, kinematics: Kinematics, q: Array) -> None:
        self._kinematics = kinematics
        self._arm, self._arm_in, self._arm_out = Ruckig(6, DT_S), InputParameter(6), OutputParameter(6)
        self._finger, self._finger_in, self._finger_out = Ruckig(1, DT_S), InputParameter(1), OutputParameter(1)
        self._arm_in.synchronization = Synchronization.Time
        self._finger_in.max_velocity, self._finger_in.max_acceleration, self._finger_in.max_jerk = ([v] for v in FINGER)
        self._arm_in.max_acceleration = [ACCELERATION] * 3 + [TURN[1]] * 3
        self._arm_in.max_jerk = [JERK] * 3 + [TURN[2]] * 3
        self.reset(q)

    def reset(self, q: Array) -> None:
        """Be at rest at q (8,)."""
        self.q = q.copy()
        pose = self._kinematics.forward(q)
        yaw = math.atan2(pose[1, 0], pose[0, 0])
        # R = Rz(yaw) DOWN exp(tilt): what is left after yaw is a small tilt, about axes of the tool.
        tilt = pinocchio.log3((_turned(yaw) @ DOWN).T @ pose[:3, :3])
        self._arm_in.current_position = [*pose[:3, 3], yaw, tilt[0], tilt[1]]
        self._arm_in.current_velocity = [0.0] * 6
        self._arm_in.current_acceleration = [0.0] * 6
        self._finger_in.current_position = [float(q[-1])]
        self._finger_in.current_velocity = self._finger_in.current_acceleration = [0.0]
        self.commanded_tool = np.array([*pose[:3, 3], yaw])

    def step(self, goal: ToolGoal) -> Array:
        """Return q (8,) after DT_S on the way to `goal`."""
        here = np.array(self._arm_in.current_position)
        target = np.array([goal.x, goal.y, goal.z, goal.yaw, 0.0, 0.0])
        way = np.abs(target - here)[:3]
        share = np.maximum(way / max(float(np.linalg.norm(way)), 1e-9), LEAST_SHARE)
        self._arm_in.max_velocity = [*(goal.speed * share), *[TURN[0]] * 3]
        self._arm_in.target_position = target.tolist()
        self._arm_in.target_velocity = [0.0] * 6
        for name in ("current_position", "current_velocity", "current_acceleration"):
            # Ruckig finds no way from states that differ from rest by rounding errors alone.
            setattr(self._arm_in, name, np.round(getattr(self._arm_in, name), 9).tolist())
        self._arm.update(self._arm_in, self._arm_out)
        self._arm_out.pass_to_input(self._arm_in)
        self._finger_in.target_position = [goal.gripper]
        self._finger.update(self._finger_in, self._finger_out)
        self._finger_out.pass_to_input(self._finger_in)
        now = np.array(self._arm_in.current_position)
        q = self._kinematics.follow(pose_of(now), self.q, CENTERING_PER_M * float(np.linalg.norm(now[:3] - here[:3])))
        q[len(JOINT_NAMES) - 1] = self._finger_in.current_position[0]
        self.q = np.clip(q, self._kinematics.lower, self._kinematics.upper)
        self.commanded_tool = now[:4]
        return self.q


def pose_of(values: Array) -> Array:
    """Return T_base_tool (4, 4) of x, y, z, yaw and, if given, two tilts about the tool's x and y, rad."""
    pose = np.eye(4)
    tilt = np.array([*values[4:6], 0.0]) if len(values) > 4 else np.zeros(3)
    pose[:3, :3] = _turned(values[3]) @ DOWN @ pinocchio.exp3(tilt)
    pose[:3, 3] = values[:3]
    return pose


def _turned(yaw: float) -> Array:
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
