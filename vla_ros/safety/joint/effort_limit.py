"""Effort limit: inverse dynamics of the next step, and of braking, stay inside the arm's effort limits.

Checked for a candidate (q, v, a), with tau the inverse dynamics, s = -sgn(v) and q_rest the position of rest of full brake:
    |tau(q, v, a)| <= limit,   |tau(q, v, s A)| <= limit,   |tau(q_rest, 0, s A)| <= limit
The third because gravity may differ there. What the stop needs between these states is not proved, only what it needs at
them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, per_tick
from vla_ros.safety.rules import RuleCode, StepRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict

NAME = "effort_limit"


class EffortLimit(StepRule):
    """The effort limits of all joints.

    limits: N m or N per joint.

    Args: parameters: `effort`. limits: of the joints. arm: the model.

    Raises:
        ParameterError: a joint has no effort limit, a moving body no mass, or the configuration is looser than the URDF.
    """

    NAME, CODE, NEEDS_ARM = NAME, RuleCode.EFFORT_LIMIT, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        period_s = parameters.period_s
        missing = arm.bodies_without_mass()
        if missing:
            raise ParameterError(
                f"effort.check: the URDF tells no mass of {', '.join(missing)}; give <inertial> there, or leave the check off"
            )
        self._arm = arm
        self._names = tuple(joint.name for joint in limits)
        self._period_s = period_s
        self._to_si = 1.0 / NANO, 1.0 / period_s / NANO, 1.0 / period_s**2 / NANO
        self._brakes = [per_tick(joint, period_s).acceleration * self._to_si[2] for joint in limits]
        effort = parameters.effort
        self.limits = list(effort.limit)
        for i, (name, limit) in enumerate(zip(self._names, arm.effort_limits(), strict=True)):
            stated = math.isfinite(limit) and limit > 0.0
            if not stated and not effort.limit:
                raise ParameterError(
                    f'effort.limit: joint {name} has no <limit effort="..."/> in the URDF; give it here'
                )
            if effort.limit and stated and effort.limit[i] > limit:
                raise ParameterError(
                    f"effort.limit[{i}]: {effort.limit[i]} of joint {name} is looser than the URDF's {limit}; "
                    "the configuration may only tighten"
                )
            if not effort.limit:
                self.limits.append(limit)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return parameters.effort.check

    def check(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Refuse a candidate when it, its full brake or its position of rest needs more than the limits."""
        to_q, to_v, to_a = self._to_si
        states = []
        for joint, brake in zip(state.joints, self._brakes, strict=True):
            q, v = joint.q * to_q, joint.v * to_v
            deceleration = -math.copysign(brake, v) if v else 0.0
            q_rest = q + v * (abs(v) / (2.0 * brake) + self._period_s)
            states.append((q, q, q_rest, v, v, 0.0, joint.a * to_a, deceleration, deceleration))
        columns = np.array(states).T
        efforts = self._arm.efforts(columns[:3], columns[3:6], columns[6:]).tolist()
        for phase, needed in zip(("moving", "braking", "the end of braking"), efforts, strict=True):
            for name, effort, limit in zip(self._names, needed, self.limits, strict=True):
                if not -limit <= effort <= limit:  # nor is NaN
                    reason = f"{name}: {phase} needs {effort:.3g} of {limit:.3g} N m (N)"
                    # Rounded: see `CollisionConstraints._distance_verdict`.
                    return Verdict(NAME, reason, name, round(effort, 3), limit)
        return None
