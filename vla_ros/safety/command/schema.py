"""Rule schema: a setpoint names exactly the robot's joints and gives each a number that can be meant.

For joint i with the range [lower, upper] of width w: lower - w <= position <= upper + w. What lies further outside is no
matter of limits but of units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.command.joint_order import JointOrder
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, SetpointRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "schema"

LONGEST_NAME = 80
"""Characters of a name that a message may carry into a verdict, which is logged and published many times."""


class Schema(SetpointRule):
    """Args: limits: of the robot's joints, in the filter's order."""

    NAME, CODE = NAME, RuleCode.SCHEMA

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._limits = tuple(limits)
        self._names = tuple(joint.name for joint in limits)
        self._widest = tuple((2 * j.lower - j.upper, 2 * j.upper - j.lower) for j in limits)
        self._order = JointOrder(self._names)

    def check(self, setpoint: Setpoint, state: FilterState) -> Verdict | None:
        """Refuse wrong names, wrong length, non-finite numbers and wrong units."""
        verdict = self._check_names(tuple(setpoint.joint_names))
        if verdict is not None:
            return verdict
        positions = setpoint.positions
        if len(positions) != len(self._names):
            return Verdict(NAME, f"{len(positions)} positions for {len(self._names)} joints")
        for i, (name, (lowest, highest)) in enumerate(zip(self._names, self._widest, strict=True)):
            position = positions[self._order.indices[i]]
            if not math.isfinite(position):
                return Verdict(NAME, f"{name} is {position}", name, position)
            if not lowest <= position <= highest:
                limit = self._limits[i].upper if position > highest else self._limits[i].lower
                return Verdict(
                    NAME,
                    f"{name} is far outside its range; positions are rad and m, not degrees or mm",
                    name,
                    position,
                    limit,
                )
        return None

    def _check_names(self, names: tuple[str, ...]) -> Verdict | None:
        miscounted = self._order.find(names)
        if miscounted is not None:
            name, count = miscounted
            return Verdict(NAME, f"{name} is named {count} times, not once", name)
        if len(names) > len(self._names):
            foreign = next(name for name in names if name not in self._names)
            return Verdict(NAME, f"{foreign!r:.{LONGEST_NAME}} is not a joint of this robot", foreign[:LONGEST_NAME])
        return None
