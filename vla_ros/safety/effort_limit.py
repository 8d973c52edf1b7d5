"""Rule effort_limit: inverse dynamics of the next step, and of braking, stay inside the arm's effort limits.

Checked for a candidate (q, v, a): the step itself; full brake from v at q; and full brake at the place of rest, where gravity
may be another. What the stop needs between these places is not proved, only what it needs at them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.parameters import ParameterError
from vla_ros.safety.arm_model import ArmModel
from vla_ros.safety.limits import NANO
from vla_ros.safety.motion import JointMotion
from vla_ros.safety.parameters import Effort
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
        self._scale = np.array([[1.0], [1.0 / period_s], [1.0 / period_s**2]]) / NANO
        self._brake = np.array([joint.limits.acceleration for joint in joints]) * self._scale[2]
        self._still = np.zeros(len(joints))
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
        self._limit = np.array(self.limits)

    def check(self, joints: Sequence[JointMotion]) -> Verdict | None:
        """Refuse a candidate, or a place of rest, that needs more than the limits."""
        q, v, a = np.array([(j.q, j.v, j.a) for j in joints]).T * self._scale
        brake = np.copysign(self._brake, -v) * (v != 0.0)
        rest = q + v * (np.abs(v) / (2.0 * self._brake) + self._period_s)
        moving, braking = self._arm.efforts(q, (v, a), (v, brake))
        (stopped,) = self._arm.efforts(rest, (self._still, brake))
        for what, efforts in (("moving", moving), ("braking", braking), ("the end of braking", stopped)):
            if not (np.abs(efforts) <= self._limit).all():
                # The first of the joints; NaN is none that is small enough.
                i = int(np.flatnonzero(~(np.abs(efforts) <= self._limit))[0])
                effort, limit = float(efforts[i]), self.limits[i]
                reason = f"{self._names[i]}: {what} needs {effort:.3g} of {limit:.3g} N m (N)"
                return Verdict(NAME, reason, self._names[i], effort, limit)
        return None
