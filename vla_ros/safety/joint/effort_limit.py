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
from vla_ros.safety.joint.joint_limits import NANO
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.safety_parameters import Effort
from vla_ros.safety.verdict import Verdict

NAME = "effort_limit"


class EffortLimit:
    """The effort limits of all joints.

    limits: N m or N per joint.

    Args:
        arm: the model.
        names, joints: of the filter, in the same order.
        parameters: of the rule.
        period_s: of a tick.

    Raises:
        ParameterError: a joint has no effort limit, or the configuration is looser than the URDF.
    """

    def __init__(
        self, arm: ArmModel, names: Sequence[str], joints: Sequence[JointMotion], parameters: Effort, period_s: float
    ) -> None:
        self._arm = arm
        self._names = tuple(names)
        self._period_s = period_s
        self._to_si = 1.0 / NANO, 1.0 / period_s / NANO, 1.0 / period_s**2 / NANO
        self._brakes = [joint.limits.acceleration * self._to_si[2] for joint in joints]
        self.limits = list(parameters.limit)
        for i, (name, limit) in enumerate(zip(names, arm.effort_limits(), strict=True)):
            stated = math.isfinite(limit) and limit > 0.0
            if not stated and not parameters.limit:
                raise ParameterError(
                    f'effort.limit: joint {name} has no <limit effort="..."/> in the URDF; give it here'
                )
            if parameters.limit and stated and parameters.limit[i] > limit:
                raise ParameterError(
                    f"effort.limit[{i}]: {parameters.limit[i]} of joint {name} is looser than the URDF's {limit}; "
                    "the configuration may only tighten"
                )
            if not parameters.limit:
                self.limits.append(limit)

    def check(self, joints: Sequence[JointMotion]) -> Verdict | None:
        """Refuse a candidate when it, its full brake or its position of rest needs more than the limits."""
        to_q, to_v, to_a = self._to_si
        states = []
        for joint, brake in zip(joints, self._brakes, strict=True):
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
