"""Keep-out boxes: no body of the arm enters a box that stands in the base frame."""

from __future__ import annotations

from collections.abc import Iterator

import coal
import numpy as np
import pinocchio as pin

from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import pairs_with
from vla_ros.safety.safety_parameters import KeepOut

NAME = "keep_out"


def distance_pairs(arm: ArmModel, keep_out: KeepOut) -> Iterator[DistancePair]:
    """Yield the pair of each moving body with each box.

    Raises:
        ParameterError: a box has no extent.
    """
    for i in range(0, len(keep_out.boxes), 9):
        number = i // 9 + 1
        centre, size, rpy = (np.array(keep_out.boxes[i + k : i + k + 3]) for k in (0, 3, 6))
        if (size <= 0.0).any():
            raise ParameterError(f"keep_out.boxes: box {number} has size {size.tolist()}; every side must be above 0")
        box = arm.add_fixed_shape(f"keep_out {number}", coal.Box(*size), pin.SE3(pin.rpy.rpyToMatrix(*rpy), centre))
        yield from pairs_with(arm, box, NAME, f"keep-out box {number}", keep_out.margin_m, keep_out.slow_m)
