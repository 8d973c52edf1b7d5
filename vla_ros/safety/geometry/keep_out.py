"""Keep-out boxes: no body of the arm enters a box that stands in the base frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import coal
import numpy as np
import pinocchio as pin

from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import pairs_with
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import DistanceRule, RuleCode
from vla_ros.safety.safety_parameters import SafetyFilterParameters

NAME = "keep_out"


class KeepOut(DistanceRule):
    """The distance from every body to every box is at least the margin.

    Args: parameters: `keep_out`. limits, arm: not used.
    """

    NAME, CODE = NAME, RuleCode.KEEP_OUT

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._parameters = parameters.keep_out

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.keep_out.boxes)

    def distance_pairs(self, arm: ArmModel) -> Iterator[DistancePair]:
        """Yield the pair of each moving body with each box.

        Raises:
            ParameterError: a box has no extent.
        """
        for i in range(0, len(self._parameters.boxes), 9):
            number = i // 9 + 1
            centre, size, rpy = (np.array(self._parameters.boxes[i + k : i + k + 3]) for k in (0, 3, 6))
            if (size <= 0.0).any():
                raise ParameterError(
                    f"keep_out.boxes: box {number} has size {size.tolist()}; every side must be above 0"
                )
            box = arm.add_fixed_shape(f"keep_out {number}", coal.Box(*size), pin.SE3(pin.rpy.rpyToMatrix(*rpy), centre))
            yield from pairs_with(
                arm, box, NAME, f"keep-out box {number}", self._parameters.margin_m, self._parameters.slow_m
            )
