"""Rule table: no body of the arm goes below the plane that it works on."""

from __future__ import annotations

from collections.abc import Iterator

import coal
import numpy as np
import pinocchio as pin

from vla_ros.safety.geometry.active_set import Row
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import against
from vla_ros.safety.safety_parameters import Table

NAME = "table"


def rows(arm: ArmModel, table: Table) -> Iterator[Row]:
    """Yield a row for each moving body."""
    for height_m in table.height_m:
        below = arm.add_world("table", coal.Halfspace(np.array([0.0, 0.0, 1.0]), height_m), pin.SE3.Identity())
        yield from against(arm, below, NAME, "the table", table.margin_m, table.slow_m)
