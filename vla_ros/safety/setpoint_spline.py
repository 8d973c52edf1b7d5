"""Plays a slower stream of setpoints back at the filter's rate, smoothly, in integers.

Setpoints come every 10 ms and the filter ticks every 4 ms. Going straight to the newest setpoint would put all motion
into the first tick of each 10 ms, and straight lines between setpoints still change velocity at once. A uniform cubic
B-spline over the last four setpoints is twice continuously differentiable, has no more jerk than the stream has, and
is a convex combination: it never leaves the hull of the setpoints. Its price is a delay of two setpoint periods, and a
deviation of about a h^2 / 6 (57 micrometre-radian at 3.4 rad/s^2 and h = 10 ms).
"""

from __future__ import annotations

from collections import deque

Setpoint = tuple[int, ...]


class SetpointSpline:
    """Args: rest: the position (nrad per joint) at which the stream begins; period_ns: nominal spacing of setpoints."""

    def __init__(self, rest: Setpoint, period_ns: int) -> None:
        self._period_ns = period_ns
        self._rest = rest
        self._knots: deque[tuple[int, Setpoint]] = deque(maxlen=8)

    def push(self, stamp_ns: int, setpoint: Setpoint) -> None:
        """Add a setpoint that is meant for `stamp_ns`, later than all before."""
        if len(self._knots) == self._knots.maxlen:
            self._rest = self._knots[0][1]
        self._knots.append((stamp_ns, setpoint))

    def at(self, time_ns: int) -> Setpoint:
        """Return the position for `time_ns`. Before the stream it is `rest`, after its end the last setpoint."""
        if not self._knots:
            return self._rest
        knots = self._knots
        last = len(knots) - 1
        if time_ns < knots[0][0]:
            # The stretch before the first setpoint leads from rest to it.
            index, length_ns = -1, self._period_ns
            into_ns = max(0, time_ns - (knots[0][0] - length_ns))
        elif time_ns >= knots[last][0]:
            ahead = (time_ns - knots[last][0]) // self._period_ns
            index, into_ns = last + ahead, (time_ns - knots[last][0]) % self._period_ns
            length_ns = self._period_ns
        else:
            index = next(i for i in range(last - 1, -1, -1) if knots[i][0] <= time_ns)
            into_ns, length_ns = time_ns - knots[index][0], knots[index + 1][0] - knots[index][0]
        points = [self._point(index + offset) for offset in (-1, 0, 1, 2)]
        u, d = into_ns, length_ns
        w0, w3 = (d - u) ** 3, u**3
        w1, w2 = 3 * w3 - 6 * u * u * d + 4 * d**3, -3 * w3 + 3 * u * u * d + 3 * u * d * d + d**3
        whole = 6 * d**3
        half = whole // 2
        return tuple(
            (w0 * p0 + w1 * p1 + w2 * p2 + w3 * p3 + half) // whole for p0, p1, p2, p3 in zip(*points, strict=True)
        )

    def _point(self, index: int) -> Setpoint:
        if index < 0:
            return self._rest
        return self._knots[min(index, len(self._knots) - 1)][1]
