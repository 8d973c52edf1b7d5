"""Rule effort_limit: inverse dynamics of the next step, and of braking, stay inside the arm's effort limits.

Checked for a candidate (q, v, a): the step itself; full brake from v at q; and full brake at the place of rest, where gravity
may be another. What the stop needs between these places is not proved, only what it needs at them.
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
    """Args: arm. joints: of the filter, with their names. parameters: of the rule. period_s: of a tick.

    Raises:
        ParameterError: a joint has no effort limit, or the configuration is looser than the URDF.
    """

    def __init__(
        self, arm: ArmModel, names: Sequence[str], joints: Sequence[JointMotion], parameters: Effort, period_s: float
    ) -> None:
        self._arm = arm
        self._names = tuple(names)
        self._period_s = period_s
        self._scale = 1.0 / NANO, 1.0 / period_s / NANO, 1.0 / period_s**2 / NANO
        self._brake = [joint.limits.acceleration * self._scale[2] for joint in joints]
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
        """Refuse a candidate, or a place of rest, that needs more than the limits."""
        q, v, a = self._scale
        states = []
        for joint, brake in zip(joints, self._brake, strict=True):
            at, speed = joint.q * q, joint.v * v
            push = -math.copysign(brake, speed) if speed else 0.0
            rest = at + speed * (abs(speed) / (2.0 * brake) + self._period_s)
            states.append((at, at, rest, speed, speed, 0.0, joint.a * a, push, push))
        columns = np.array(states).T
        efforts = self._arm.efforts(columns[:3], columns[3:6], columns[6:]).tolist()
        for what, needed in zip(("moving", "braking", "the end of braking"), efforts, strict=True):
            for name, effort, limit in zip(self._names, needed, self.limits, strict=True):
                if not -limit <= effort <= limit:  # nor is NaN
                    reason = f"{name}: {what} needs {effort:.3g} of {limit:.3g} N m (N)"
                    return Verdict(NAME, reason, name, round(effort, 3), limit)  # see `Surroundings._too_near`
        return None
