"""Setpoints at the command rate become targets at the filter's rate: a uniform cubic B-spline in whole numbers.

Played raw, a 100 Hz setpoint would put all the motion of 10 ms into one tick of 4 ms; joined by straight lines, all the
acceleration. The k-th difference of the targets, k = 1, 2, 3, is a weighted mean of the k-th differences of the
setpoints: a stream that keeps the velocity, acceleration and jerk limits from setpoint to setpoint keeps them from tick
to tick, and passes unchanged. The price: the target lies off an evenly spaced setpoint p by a sixth of its second
difference, at most A T^2 / 6 (T: spacing; 60 microradian at 3.75 rad/s^2 and 10 ms), and two more setpoints must be
there when one is played.

Source: C. de Boor, A Practical Guide to Splines, chapters IX-XI.
"""

from __future__ import annotations

from collections import deque

CAPACITY = 256
"""Setpoints kept at most; a source that stamps further ahead than that loses the oldest."""


class Playback:
    """The stream of one source, from the moment that it is followed.

    Args:
        start: output at that moment, nanoradian (nanometre) per joint; the stream is entered from here.
        period_ns: nominal spacing of setpoints.
    """

    def __init__(self, start: list[int], period_ns: int) -> None:
        self._start = start
        self._period_ns = period_ns
        self._due_ns: deque[int] = deque(maxlen=CAPACITY)
        self._points: deque[list[int]] = deque(maxlen=CAPACITY)

    def add(self, due_ns: int, point: list[int]) -> None:
        """Append a setpoint that is meant for `due_ns`, later than the one before."""
        if not self._due_ns:
            for periods in (3, 2, 1):
                self._due_ns.append(due_ns - periods * self._period_ns)
                self._points.append(self._start)
        self._due_ns.append(due_ns)
        self._points.append(point)

    def target(self, time_ns: int) -> list[int]:
        """Target at `time_ns` per joint; times must not decrease from call to call.

        Before the first setpoint: the start. After the newest: it settles on that within one period and stays; nothing
        is extrapolated.
        """
        due_ns, points = self._due_ns, self._points
        while len(due_ns) > 2 and due_ns[2] <= time_ns:
            due_ns.popleft()
            points.popleft()
        if not due_ns or time_ns <= due_ns[0]:
            return points[0] if points else self._start
        newest = len(points) - 1
        i = 1 if newest and due_ns[1] <= time_ns else 0
        span = due_ns[i + 1] - due_ns[i] if i < newest else self._period_ns
        u = min(time_ns - due_ns[i], span)
        before, here = points[max(0, i - 1)], points[i]
        next_, after = points[min(i + 1, newest)], points[min(i + 2, newest)]
        w_before, w_next, w_after = (span - u) ** 3, ((3 * span - 3 * u) * u + 3 * span * span) * u + span**3, u**3
        whole = 6 * span**3
        return [
            p + (w_before * (p_before - p) + w_next * (p_next - p) + w_after * (p_after - p) + whole // 2) // whole
            for p_before, p, p_next, p_after in zip(before, here, next_, after, strict=True)
        ]
