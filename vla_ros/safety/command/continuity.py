"""Rule continuity: |setpoint - output| <= step for each joint, where the output is what was sent, not what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.command.joint_order import JointOrder
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import RuleCode, SetpointRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "continuity"


class Continuity(SetpointRule):
    """Args: parameters: `command.step` is the largest distance per joint, rad or m. limits: of the joints."""

    NAME, CODE = NAME, RuleCode.CONTINUITY

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._joint_names = tuple(joint.name for joint in limits)
        self._step = tuple(int(value * NANO) for value in parameters.command.step)
        self._order = JointOrder(self._joint_names)

    def point(self, setpoint: Setpoint) -> list[int]:
        """Return the positions of a setpoint that the schema has passed: filter's order, nanoradian or nanometre."""
        self._order.find(tuple(setpoint.joint_names))
        return [round(setpoint.positions[i] * NANO) for i in self._order.indices]

    def check(self, setpoint: Setpoint, state: FilterState) -> Verdict | None:
        """Refuse a jump."""
        rows = zip(self._joint_names, self.point(setpoint), state.joints, self._step, strict=True)
        for name, wanted, joint, step in rows:
            present = joint.q
            if abs(wanted - present) > step:
                return Verdict(
                    NAME,
                    f"{name} jumps by {abs(wanted - present) / NANO:.3f} from the present output; "
                    f"{step / NANO:.3f} is allowed",
                    name,
                    wanted / NANO,
                    (present + (step if wanted > present else -step)) / NANO,
                )
        return None
