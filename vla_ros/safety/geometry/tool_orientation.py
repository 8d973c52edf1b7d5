"""Tool orientation: the tool's axis stays inside a cone.

    angle(R(q) axis, direction) <= angle   at every instant of the step and of the stop policy's way to rest

In a piece of the path (`path_bounds`) with middle q_c and half widths h, the axis u moves by at most
    e = sum over i of |z_i(q_c) x u| h_i  +  (sum over i of h_i)^2 / 2
over the turning joints before the tool, since the second derivatives of a unit vector are at most 1. Two unit vectors that
are e apart enclose  2 asin(e / 2). Along the cone's surface that is too much. There the cosine of
the angle, d . u, tells more:

    d . u >= d . u(q_c) - sum over i of |d . (z_i(q_c) x u)| h_i - (sum over i of h_i)^2 / 2

Either bound proves a piece. The arm is slowed as it nears the surface, and slides along it, see `approach`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.approach import Approach, Permille
from vla_ros.safety.geometry.arm_kinematics import Placement, cross
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.path_bounds import TINY, ArmPaths
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import RuleCode, SpeedRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict

NAME = "tool_orientation"
ROOM_RAD = 1e-3
"""So much before the surface the arm comes to rest, so that its way along it can be proved."""


class ToolOrientation(SpeedRule):
    """The cone around a direction in base for the tool's axis.

    Args: parameters: `tool_orientation`, `tool`. limits: of the joints. arm: the model.

    Raises:
        ParameterError: there is no tool link, or a direction is none.
    """

    NAME, CODE, NEEDS_ARM = NAME, RuleCode.TOOL_ORIENTATION, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        own, tool = parameters.tool_orientation, parameters.tool
        if not tool.link:
            raise ParameterError("tool_orientation.direction: needs tool.link, the link whose axis is kept in the cone")
        self._joint, pose = arm.body_frame(tool.link, "tool.link")
        self._direction = _unit(own.direction, "tool_orientation.direction")
        self._axis = pose.rotation @ _unit(tool.axis, "tool.axis")
        self._angle = own.angle_rad
        self._paths = ArmPaths.of(arm, limits, parameters.period_s)
        kinematics = self._paths.kinematics
        self._turning = kinematics.supports[self._joint]
        self._signed, self._coupling = kinematics.coupling, np.abs(kinematics.coupling)
        self._approach, self._to_rate = Approach(limits, parameters.period_s), 1.0 / (NANO * parameters.period_s)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.tool_orientation.direction)

    def check(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Refuse a candidate on whose path the axis may leave the cone."""
        path = self._paths.candidate(state.joints, before)
        angle = float(self._angles(self._paths.placement([q for q, _, _ in before]))[0])
        if not path.moving:
            return self._verdict(angle)
        spread = path.spread @ self._coupling
        if angle + float((spread * self._turning).sum()) <= self._angle:
            return None
        return self._verdict(float(self._bounds(path.placement, path.boxes[1]).max()))

    def speed_permille(self, state: FilterState, rates: Array) -> int | Permille:
        placement = self._paths.placement([joint.q for joint in state.joints])
        now = np.array([joint.v for joint in state.joints]) * self._to_rate
        angle, turned = (
            float(self._angles(placement)[0]),
            (self._approach.reach(rates, now) @ self._coupling) * self._turning,
        )
        room = self._angle - angle - ROOM_RAD
        if float(turned.sum()) <= room:
            return 1000
        # The derivative of the angle is that of its cosine over minus its sine.
        gradient = (self._cosine_rates(placement) * self._turning) @ self._signed.T / max(math.sin(angle), TINY)
        return self._approach.permille(gradient, rates, now, np.array([room]))

    def _verdict(self, angle: float) -> Verdict | None:
        if angle <= self._angle:  # nor is NaN
            return None
        reason = f"the tool may be {angle:.3f} rad off its direction on the way to rest; {self._angle:.3f} are allowed"
        return Verdict(NAME, reason, requested=round(angle, 4), limit=self._angle)

    def _axes(self, placement: Placement) -> Array:
        axes: Array = placement.poses[:, self._joint, :3, :3] @ self._axis
        return axes

    def _angles(self, placement: Placement) -> Array:
        """(k,) rad between the axis and the direction."""
        axes = self._axes(placement)
        across = cross(axes, np.broadcast_to(self._direction, axes.shape))
        angles: Array = np.arctan2(np.sqrt((across * across).sum(axis=1)), axes @ self._direction)
        return angles

    def _bounds(self, placement: Placement, half: Array) -> Array:
        """(k,) rad, the largest angle at most within half widths (k, n) of the joint positions."""
        angles = self._angles(placement)
        driven = (half @ self._coupling) * self._turning
        along = (np.abs(self._cosine_rates(placement)) * driven).sum(axis=1) + driven.sum(axis=1) ** 2 / 2 + TINY
        by_cosine = np.arccos(np.clip(np.cos(angles) - along, -1.0, 1.0))
        bounds: Array = np.minimum(angles + self._turns(placement, half), by_cosine)
        return bounds

    def _cosine_rates(self, placement: Placement) -> Array:
        """(k, d) derivative of the cosine of the angle, d . (z_i x u), per rad of each driven joint, which must turn."""
        across = cross(axes := self._axes(placement), np.broadcast_to(self._direction, axes.shape))
        rates: Array = (placement.columns[:, :, 3:] * across[:, None]).sum(axis=2)
        return rates

    def _turns(self, placement: Placement, half: Array) -> Array:
        """(k,) rad that the axis turns at most within half widths (k, n) of the joint positions."""
        joints = placement.columns[:, :, 3:]
        across = cross(joints, np.broadcast_to(self._axes(placement)[:, None], joints.shape))
        first = np.sqrt((across * across).sum(axis=2)) * self._turning
        driven = half @ self._coupling
        moved = (first * driven).sum(axis=1) + (driven * self._turning).sum(axis=1) ** 2 / 2
        turns: Array = 2.0 * np.arcsin(np.minimum(1.0, moved / 2.0)) + TINY
        return np.where(moved > 2.0, math.pi, turns)


def _unit(vector: Sequence[float], key: str) -> Array:
    direction = np.array(vector, float)
    length = float(np.linalg.norm(direction))
    if not length > 0.0:
        raise ParameterError(f"{key}: must be a direction, three numbers that are not all 0")
    unit: Array = direction / length
    return unit
