"""Momentum and power: what the arm could do to what it meets, and what its motors do to it.

For the composite bodies b on the joints, with mass m, centre of mass c, inertia I about it with largest principal moment i,
angular velocity w, and g = 9.81 m/s^2, at every instant of the step and of the stop policy's way to rest:

    sum of m |dc/dt|                                                               <= momentum limit
    sum of m (|d2c/dt2| + g) |dc/dt| + i |dw/dt| |w|                                <= power limit

The first is at least the arm's linear momentum and that of any part of it. The second is at least the mechanical power that
moves the bodies, gravity included; friction and motors that work against each other are not in it. Accelerations are bounded
by  |d2c/dt2| <= sum r_i A_i + sum r_ik |v_i||v_k|  and  |dw/dt| <= sum A_i + (sum |v_i|)^2  with the joints' acceleration
limits A. Speeds: see `path_bounds`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.arm_parts import Parts, centres_of_mass
from vla_ros.safety.geometry.cartesian_speed import AIMED_AT, share_permille
from vla_ros.safety.geometry.path_bounds import ArmPaths
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, SpeedRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict

NAME = "momentum"
GRAVITY = 9.81


class Momentum(SpeedRule):
    """The limits of momentum and power, with the inertias of the URDF, tool and payload included.

    Args: parameters: `momentum`. limits: of the joints. arm: the model.

    Raises:
        ParameterError: a body has no mass.
    """

    NAME, CODE, NEEDS_ARM = NAME, RuleCode.MOMENTUM, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        self._momentum, self._power = parameters.momentum.limit_kg_m_s, parameters.momentum.power_w
        self._paths = ArmPaths.of(arm, limits, parameters.period_s)
        joints = self._paths.kinematics.driven
        inertias = [arm.model.inertias[joint] for joint in joints]
        missing = arm.bodies_without_mass()
        if missing:
            raise ParameterError(
                f"momentum: {', '.join(missing)} has no mass in the URDF; give it an <inertial>, or switch "
                "momentum.limit_kg_m_s and momentum.power_w off"
            )
        self._parts = Parts(arm, self._paths.kinematics, centres_of_mass(arm, self._paths.kinematics))
        self._mass = np.array([inertia.mass for inertia in inertias])
        self._moment = np.array([float(np.linalg.eigvalsh(inertia.inertia).max()) for inertia in inertias])
        accelerations = np.array([joint.acceleration for joint in limits])
        self._acceleration = self._parts.lever_arms @ accelerations
        # (b, n) angular velocity of each body per unit of each joint at most.
        self._turning = self._paths.kinematics.supports[joints] @ np.abs(self._paths.kinematics.coupling).T
        self._angular_acceleration = self._turning @ accelerations
        self._none = np.zeros(len(joints))

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.momentum.limit_kg_m_s or parameters.momentum.power_w)

    def check(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Refuse a candidate on whose path momentum or power may be above its limit."""
        path = self._paths.candidate(state.joints, before)
        if not path.moving or self._within(path.quick_speeds(self._parts)[None], path.peak_rates[None]) is None:
            return None
        return self._within(path.speeds(self._parts, self._none), path.piece_peaks)

    def speed_permille(self, state: FilterState, rates: Array) -> int:
        q, own = [joint.q for joint in state.joints], np.abs(rates)[None]
        quick = self._paths.quick_speeds_at(self._parts, q, rates)
        if self._within(quick[None] / AIMED_AT, own) is None:
            return 1000
        speeds = self._paths.speeds_at(self._parts, q, rates, self._none)
        momentum, power = self._largest(speeds[None], own)
        limits = np.array([self._momentum or np.inf, self._power or np.inf])
        return share_permille(AIMED_AT * limits, np.array([momentum, power]))

    def _within(self, speeds: Array, rates: Array) -> Verdict | None:
        """Judge speeds (k, b) m/s of the centres of mass with rates (k, n) of the joints."""
        momentum, power = self._largest(speeds, rates)
        if self._momentum and not momentum <= self._momentum:
            reason = f"the arm's momentum may reach {momentum:.2f} kg m/s; {self._momentum:.2f} are allowed"
            return Verdict(NAME, reason, requested=round(momentum, 4), limit=self._momentum)
        if self._power and not power <= self._power:
            reason = f"the power that moves the arm may reach {power:.1f} W; {self._power:.1f} W are allowed"
            return Verdict(NAME, reason, requested=round(power, 3), limit=self._power)
        return None

    def _largest(self, speeds: Array, rates: Array) -> tuple[float, float]:
        momentum = float((speeds @ self._mass).max())
        if not self._power:
            return momentum, 0.0
        squares = (rates[:, :, None] * rates[:, None, :]).reshape(len(rates), -1)
        acceleration = self._acceleration + squares @ self._parts.curvature
        turning = rates @ self._turning.T
        rotation = self._moment * (self._angular_acceleration + turning * turning) * turning
        power = speeds * (acceleration + GRAVITY) @ self._mass + rotation.sum(axis=1)
        return momentum, float(power.max())
