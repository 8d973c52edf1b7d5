"""Table: no body of the arm goes below the plane that it works on, z >= height for every point of a body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import coal
import numpy as np
import pinocchio as pin

from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import pairs_with
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import DistanceRule, RuleCode
from vla_ros.safety.safety_parameters import SafetyFilterParameters

NAME = "table"


class Table(DistanceRule):
    """z >= height + margin for every point of a body.

    Args: parameters: `table`. limits, arm: not used.
    """

    NAME, CODE = NAME, RuleCode.TABLE

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._parameters = parameters.table

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.table.height_m)

    def distance_pairs(self, arm: ArmModel) -> Iterator[DistancePair]:
        """Yield the pair of each moving body with the space below each height."""
        for height_m in self._parameters.height_m:
            below = arm.add_fixed_shape(
                "table", coal.Halfspace(np.array([0.0, 0.0, 1.0]), height_m), pin.SE3.Identity()
            )
            yield from pairs_with(arm, below, NAME, "the table", self._parameters.margin_m, self._parameters.slow_m)
