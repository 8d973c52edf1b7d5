"""Position limit: the joint stays inside its range now and on the whole path of the stop policy to rest.

A state (q, v, a) is viable when the stop policy, started from it, keeps
    lower <= q <= upper   and, in a slow zone,   |v| <= max_speed_at(distance to the end that it approaches)
until rest. A candidate is accepted only if its successor is viable; else the stop policy's own action is taken, whose
successor lies on the path that was found viable one tick earlier. So the set of actions is never empty, and by induction
every output can come to rest inside the range.
"""

from __future__ import annotations

from math import isqrt

from vla_ros.safety.joint.jerk_limit import JerkLimit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.stopping_distance import stopping_distance
from vla_ros.safety.joint.velocity_limit import VelocityLimit

NAME = "position_limit"


class PositionLimit:
    """The range of one joint.

    Args:
        limits: of the joint, per tick.
    """

    name = NAME

    def __init__(self, limits: TickLimits) -> None:
        self._limits = limits
        self._velocity_limit = VelocityLimit(limits)
        self._jerk_limit = JerkLimit(limits)
        self._ramp_ticks = -(-limits.acceleration // limits.jerk)
        self._approach_offset = limits.acceleration * (2 * self._ramp_ticks + 3) // 2

    def max_speed_at(self, distance: int) -> int:
        """Return the largest speed towards an end of the range at a distance from it; it falls linearly in a slow zone."""
        limits = self._limits
        if not limits.slow_zone or distance >= limits.slow_zone:
            return limits.velocity
        return limits.slow_velocity + (limits.velocity - limits.slow_velocity) * max(0, distance) // limits.slow_zone

    def stop_distance_bound(self, v: int, a: int) -> int:
        """Return a bound, without simulating, on how far the stop policy still travels upwards from (v, a).

        Let p be the largest velocity on the path (0 if it never moves upwards), N = ceil(A / J), m = ceil(a / J) for
        a > 0. At most m ticks pass until a <= 0 and at most N until the brake is full or its release begins; each
        travels at most p. Full brake from p travels at most stopping_distance(p, A). The release takes at most N + 1
        ticks, each at most p. In sum  p (m + 2 N + 1) + stopping_distance(p, A).
        """
        peak = self._velocity_limit.peak_velocity(v, a)
        if peak <= 0:
            return 0
        limits = self._limits
        m = -(-a // limits.jerk) if a > 0 else 0
        return peak * (m + 2 * self._ramp_ticks + 1) + stopping_distance(peak, limits.acceleration)

    def viable(self, q: int, v: int, a: int) -> bool:
        """Return whether the stop policy from (q, v, a) stays inside the range until rest.

        Far from both ends the closed bound decides at once; near one, the path is followed tick by tick until the bound
        does.
        """
        limits = self._limits
        lower, upper, zone = limits.lower, limits.upper, limits.slow_zone
        while lower <= q <= upper:
            up, down = self.stop_distance_bound(v, a), self.stop_distance_bound(-v, -a)
            if q + up <= upper - zone and q - down >= lower + zone:
                return True
            if zone and self._exceeds_slow_zone(q, v):
                return False
            if q + up <= upper and q - down >= lower and (not zone or up == down == 0):
                return True
            a = self._jerk_limit.stop_policy(v, a)
            v += a
            q += v
        return False

    def _exceeds_slow_zone(self, q: int, v: int) -> bool:
        """Return whether v is too fast for the slow zone in which q lies."""
        distance = self._limits.upper - q if v > 0 else q - self._limits.lower
        return distance < self._limits.slow_zone and abs(v) > self.max_speed_at(distance)

    def approach_speed(self, distance: int) -> int:
        """Return the speed at a distance from where the joint shall rest from which braking under A and J is smooth.

        The largest v with  v^2 / (2 A) + v (N + 3/2) <= distance: full brake, plus N + 1 ticks for the jerk limit to build
        it up and release it, plus the half tick that discrete motion is ahead. Near 0 it falls off linearly, so that the
        approach ends smoothly. It only shapes the motion; safety rests on `viable`.
        """
        offset = self._approach_offset
        return isqrt(offset * offset + 2 * self._limits.acceleration * distance) - offset if distance > 0 else 0
