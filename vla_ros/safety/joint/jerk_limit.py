"""Jerk limit: |a' - a| <= J. And the stop policy: the one way to rest that keeps to it."""

from __future__ import annotations

from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.stopping_distance import max_stoppable_speed

NAME = "jerk_limit"


class JerkLimit:
    """The jerk limit of one joint, together with its acceleration limit.

    Args:
        limits: of the joint, per tick.
    """

    name = NAME

    def __init__(self, limits: TickLimits) -> None:
        self._acceleration = limits.acceleration
        self._jerk = limits.jerk

    def acceleration_bounds(self, v: int, a: int, max_speed: int) -> tuple[int, int]:
        """Return the smallest and largest acceleration of this tick."""
        return a - self._jerk, a + self._jerk

    def acceleration_toward(self, dv: int, a: int) -> int:
        """Return the acceleration of this tick that changes the velocity by dv in the end, and reaches 0 together with it.

        The wanted acceleration is a* = sgn(dv) min(A, max_stoppable_speed(|dv|, J)): the largest that can be taken back by J
        per tick before the velocity is passed. Since stopping_distance(a - J, J) = stopping_distance(a, J) - a, an a* that
        was attained once stays attainable: the approach neither overshoots nor chatters.
        """
        acceleration, jerk = self._acceleration, self._jerk
        wanted = (
            min(acceleration, max_stoppable_speed(dv, jerk))
            if dv > 0
            else -min(acceleration, max_stoppable_speed(-dv, jerk))
        )
        if wanted > a + jerk:
            return a + jerk
        if wanted < a - jerk:
            return a - jerk
        return wanted

    def stop_policy(self, v: int, a: int) -> int:
        """Return the stop policy's acceleration of this tick, on the way to v = a = 0.

        From any |a| <= A it keeps |a'| <= A and |a' - a| <= J by construction and ends at rest; see `ticks_to_rest`.
        """
        return self.acceleration_toward(-v, a)


def ticks_to_rest(velocity: int, acceleration: int, jerk: int) -> int:
    """Return a bound on the ticks that the stop policy needs from any |v| <= velocity, |a| <= acceleration.

    With N = ceil(A / J): at most N ticks until an acceleration in the wrong direction is gone, while the velocity grows
    to no more than `velocity` (see `velocity_limit`); N ticks until the brake is full; velocity // A + 1 ticks of full
    brake; N + 1 ticks while it is released. An acceleration that is too strong at the end carries the joint through
    zero once: N ticks until it is gone, then a velocity of at most stopping_distance(A, J) is braked in 2 N + 3 more.

    Args:
        velocity, acceleration, jerk: limits of the joint, per tick.
    """
    n = -(-acceleration // jerk)
    return velocity // acceleration + 6 * n + 6
