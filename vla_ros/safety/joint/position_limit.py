"""Rule position_limit: the joint stays inside its range now and on the whole way of the stop policy to rest.

A state (q, v, a) is viable when the stop policy, started from it, keeps lower <= q <= upper until rest, and, where the range
has a slow zone, |v| below what the zone allows at q towards its end. A candidate is
accepted only if its successor is viable; else the stop policy's own action is taken, whose successor lies on the path
that was found viable one tick earlier. So the set of actions is never empty, and by induction every output can come to
rest inside the range.
"""

from __future__ import annotations

from math import isqrt

from vla_ros.safety.joint import jerk_limit, velocity_limit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.stopping_distance import travel

NAME = "position_limit"


class PositionLimit:
    """The range of one joint, in integers per tick.

    Args: limits: of the joint, in integers per tick.
    """

    def __init__(self, limits: TickLimits) -> None:
        self.lower = limits.lower
        self.upper = limits.upper
        self._limits = limits
        self._acceleration = limits.acceleration
        self._jerk = limits.jerk
        self._ramp = -(-limits.acceleration // limits.jerk)
        self._offset = limits.acceleration * (2 * self._ramp + 3) // 2

    def allowed(self, d: int) -> int:
        """Largest speed towards an end of the range at distance d from it."""
        limits = self._limits
        if not limits.slow_zone or d >= limits.slow_zone:
            return limits.velocity
        return limits.slow_velocity + (limits.velocity - limits.slow_velocity) * max(0, d) // limits.slow_zone

    def reach(self, v: int, a: int) -> int:
        """Bound, without simulating, on how far the stop policy still travels upwards from (v, a).

        Let p be the largest velocity on the way (0 if it never moves upwards), N = ceil(A / J), m = ceil(a / J) for
        a > 0. At most m ticks pass until a <= 0 and at most N until the brake is full or its release begins; each
        travels at most p. Full brake from p travels at most travel(p, A). The release takes at most N + 1 ticks, each
        at most p. In sum  p (m + 2 N + 1) + travel(p, A).
        """
        p = velocity_limit.peak(v, a, self._jerk)
        if p <= 0:
            return 0
        m = -(-a // self._jerk) if a > 0 else 0
        return p * (m + 2 * self._ramp + 1) + travel(p, self._acceleration)

    def viable(self, q: int, v: int, a: int) -> bool:
        """Whether the stop policy from (q, v, a) stays inside the range until rest.

        Far from both ends the closed bound decides at once; near one, the path is followed tick by tick until the bound
        does.
        """
        lower, upper, zone = self.lower, self.upper, self._limits.slow_zone
        while lower <= q <= upper:
            up, down = self.reach(v, a), self.reach(-v, -a)
            if q + up <= upper - zone and q - down >= lower + zone:
                return True
            if zone and self._too_fast(q, v):
                return False
            if q + up <= upper and q - down >= lower and (not zone or up == down == 0):
                return True
            a = jerk_limit.stop(v, a, self._acceleration, self._jerk)
            v += a
            q += v
        return False

    def _too_fast(self, q: int, v: int) -> bool:
        """Whether v is too fast for the slow zone in which q lies."""
        room = self.upper - q if v > 0 else q - self.lower
        return room < self._limits.slow_zone and abs(v) > self.allowed(room)

    def approach(self, d: int) -> int:
        """Speed at distance d from where the joint shall rest, from which braking under A and J is smooth.

        The largest v with  v^2 / (2 A) + v (N + 3/2) <= d: full brake, plus N + 1 ticks for the jerk limit to build it
        up and release it, plus the half tick that discrete motion is ahead. Near d = 0 it falls off linearly, so that
        the approach ends smoothly. It only shapes the motion; safety rests on `viable`.
        """
        return isqrt(self._offset * self._offset + 2 * self._acceleration * d) - self._offset if d > 0 else 0
