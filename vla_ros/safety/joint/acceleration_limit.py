"""Acceleration limit: |a'| <= A, where a' = v' - v is the change of velocity in this tick."""

from __future__ import annotations

from vla_ros.safety.joint.joint_limits import TickLimits

NAME = "acceleration_limit"


class AccelerationLimit:
    """The acceleration limit of one joint.

    Args:
        limits: of the joint, per tick.
    """

    name = NAME

    def __init__(self, limits: TickLimits) -> None:
        self._bounds = -limits.acceleration, limits.acceleration

    def acceleration_bounds(self, v: int, a: int, max_speed: int) -> tuple[int, int]:
        """Return the smallest and largest acceleration of this tick; they depend on nothing."""
        return self._bounds
