"""Table: no body of the arm goes below the plane that it works on, z >= height for every point of a body."""

from __future__ import annotations

from collections.abc import Iterator

import coal
import numpy as np
import pinocchio as pin

from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import pairs_with
from vla_ros.safety.safety_parameters import Table

NAME = "table"


def distance_pairs(arm: ArmModel, table: Table) -> Iterator[DistancePair]:
    """Yield the pair of each moving body with the space below each height."""
    for height_m in table.height_m:
        below = arm.add_fixed_shape("table", coal.Halfspace(np.array([0.0, 0.0, 1.0]), height_m), pin.SE3.Identity())
        yield from pairs_with(arm, below, NAME, "the table", table.margin_m, table.slow_m)
