"""Rule position_limit: the joint stays inside its range now and on the whole way of the stop policy to rest.

A state (q, v, a) is viable when the stop policy, started from it, keeps lower <= q <= upper until rest. A candidate is
accepted only if its successor is viable; else the stop policy's own action is taken, whose successor lies on the path
that was found viable one tick earlier. So the set of actions is never empty, and by induction every output can come to
rest inside the range.
"""

from __future__ import annotations

from math import isqrt

from vla_ros.safety import jerk_limit, velocity_limit
from vla_ros.safety.braking import travel

NAME = "position_limit"


class PositionLimit:
    """The range of one joint, in integers per tick.

    Args:
        lower, upper: position, nanoradian or nanometre.
        acceleration, jerk: A and J of the joint, per tick.
    """

    def __init__(self, lower: int, upper: int, acceleration: int, jerk: int) -> None:
        self.lower = lower
        self.upper = upper
        self._acceleration = acceleration
        self._jerk = jerk
        self._ramp = -(-acceleration // jerk)
        self._offset = acceleration * (2 * self._ramp + 3) // 2

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
        lower, upper = self.lower, self.upper
        while lower <= q <= upper:
            if q + self.reach(v, a) <= upper and q - self.reach(-v, -a) >= lower:
                return True
            a = jerk_limit.stop(v, a, self._acceleration, self._jerk)
            v += a
            q += v
        return False

    def approach(self, d: int) -> int:
        """Speed at distance d from where the joint shall rest, from which braking under A and J is smooth.

        The largest v with  v^2 / (2 A) + v (N + 3/2) <= d: full brake, plus N + 1 ticks for the jerk limit to build it
        up and release it, plus the half tick that discrete motion is ahead. Near d = 0 it falls off linearly, so that
        the approach ends smoothly. It only shapes the motion; safety rests on `viable`.
        """
        return isqrt(self._offset * self._offset + 2 * self._acceleration * d) - self._offset if d > 0 else 0
