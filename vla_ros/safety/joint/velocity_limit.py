"""Velocity limit: |v| <= V, also in the ticks in which an acceleration can only run out at the jerk limit.

The acceleration a' of this tick still adds a' - J, a' - 2J, ... after it, stopping_distance(a', J) in all. So
    -max_stoppable_speed(V + v, J) <= a' <= max_stoppable_speed(V - v, J)
<=> v + stopping_distance(a', J) <= V  for a' > 0,   v - stopping_distance(-a', J) >= -V  for a' < 0
keeps the velocity inside for as long as the acceleration needs to vanish, without looking further ahead.
"""

from __future__ import annotations

from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.stopping_distance import max_stoppable_speed, stopping_distance

NAME = "velocity_limit"


class VelocityLimit:
    """The velocity limit of one joint.

    Args:
        limits: of the joint, per tick.
    """

    name = NAME

    def __init__(self, limits: TickLimits) -> None:
        self._jerk = limits.jerk

    def acceleration_bounds(self, v: int, a: int, max_speed: int) -> tuple[int, int]:
        """Return the smallest and largest acceleration of this tick that keep |v| <= max_speed from now on."""
        return -max_stoppable_speed(max_speed + v, self._jerk), max_stoppable_speed(max_speed - v, self._jerk)

    def peak_velocity(self, v: int, a: int) -> int:
        """Return the largest velocity still reached from (v, a) when |a| falls by the jerk limit from now on."""
        return v + stopping_distance(a, self._jerk) - a if a > 0 else v

    def peak_speed(self, v: int, a: int) -> int:
        """Return the largest |velocity| still reached from (v, a) when |a| falls by the jerk limit from now on."""
        return max(self.peak_velocity(v, a), self.peak_velocity(-v, -a))
