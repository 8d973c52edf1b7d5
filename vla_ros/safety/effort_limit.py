"""Rule effort_limit: inverse dynamics of the next step, and of braking, stay inside the arm's effort limits.

Checked for a candidate (q, v, a): the step itself; full brake from v at q; and full brake at the place of rest, where gravity
may be another. What the stop needs between these places is not proved, only what it needs at them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.parameters import ParameterError
from vla_ros.safety.arm_model import ArmModel
from vla_ros.safety.braking import travel
from vla_ros.safety.limits import NANO
from vla_ros.safety.motion import JointMotion
from vla_ros.safety.parameters import Effort
from vla_ros.safety.verdict import Verdict

NAME = "effort_limit"


class EffortLimit:
    """Args: arm. names: of the joints. parameters: of the rule. period_s: of a tick.

    Raises:
        ParameterError: a joint has no effort limit, or the configuration is looser than the URDF.
    """

    def __init__(self, arm: ArmModel, names: Sequence[str], parameters: Effort, period_s: float) -> None:
        self._arm = arm
        self._names = tuple(names)
        self._per_tick = 1.0 / (NANO * period_s)
        self._per_tick2 = self._per_tick / period_s
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
        q = [joint.q for joint in joints]
        v = [joint.v for joint in joints]
        brake = [-math.copysign(joint.limits.acceleration, joint.v) if joint.v else 0 for joint in joints]
        rest = [
            joint.q + int(math.copysign(travel(abs(joint.v), joint.limits.acceleration), joint.v)) for joint in joints
        ]
        still = [0] * len(joints)
        return (
            self._exceeded("moving needs", q, v, [joint.a for joint in joints])
            or self._exceeded("braking needs", q, v, brake)
            or self._exceeded("the end of braking needs", rest, still, brake)
        )

    def _exceeded(self, what: str, q: Sequence[int], v: Sequence[int], a: Sequence[float]) -> Verdict | None:
        efforts = self._arm.efforts(
            [x / NANO for x in q], [x * self._per_tick for x in v], [x * self._per_tick2 for x in a]
        )
        for name, effort, limit in zip(self._names, efforts, self.limits, strict=True):
            if not abs(effort) <= limit:
                return Verdict(NAME, f"{name}: {what} {effort:.3g} of {limit:.3g} N m (N)", name, effort, limit)
        return None
