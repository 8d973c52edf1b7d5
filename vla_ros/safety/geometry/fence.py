"""Fence: no body of the arm leaves a convex space, n.p <= d for every side (n, d) and every point p of a body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import coal
import numpy as np
import pinocchio as pin

from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import pairs_with
from vla_ros.safety.geometry_parameters import FenceParameters
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import DistanceRule, RuleCode
from vla_ros.safety.safety_parameters import SafetyFilterParameters

NAME = "fence"


def sides(fence: FenceParameters) -> Iterator[tuple[str, tuple[float, float, float], float]]:
    """Yield (name, n, d) of each side: inside is n.p <= d, n of length 1, p in base, m.

    Raises:
        ParameterError: a side has no direction, or the box is empty.
    """
    for axis, name in enumerate("xyz" if fence.box else ""):
        lower, upper = fence.box[axis], fence.box[axis + 3]
        if lower >= upper:
            raise ParameterError(f"fence.box: {name}_min {lower} is not below {name}_max {upper}")
        unit = np.eye(3)[axis]
        yield f"{name} = {lower:g}", tuple(-unit), -lower
        yield f"{name} = {upper:g}", tuple(unit), upper
    for i in range(0, len(fence.planes), 4):
        normal, d = np.array(fence.planes[i : i + 3]), fence.planes[i + 3]
        length = float(np.linalg.norm(normal))
        if length == 0.0:
            raise ParameterError(f"fence.planes: plane {i // 4 + 1} has the normal 0 0 0")
        yield f"plane {i // 4 + 1}", tuple(normal / length), d / length


class Fence(DistanceRule):
    """n.p <= d - margin for every point p of a body and every side (n, d) of the fence.

    Args: parameters: `fence`. limits, arm: not used.
    """

    NAME, CODE = NAME, RuleCode.FENCE

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._parameters = parameters.fence

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.fence.box or parameters.fence.planes)

    def distance_pairs(self, arm: ArmModel) -> Iterator[DistancePair]:
        """Yield the pair of each moving body with the outside of each side."""
        for name, normal, d in sides(self._parameters):
            # coal's half space is solid where n.p <= d: what the arm must keep away from is the other side.
            outside = arm.add_fixed_shape(f"fence {name}", coal.Halfspace(-np.array(normal), -d), pin.SE3.Identity())
            yield from pairs_with(
                arm, outside, NAME, f"the fence ({name})", self._parameters.margin_m, self._parameters.slow_m
            )
