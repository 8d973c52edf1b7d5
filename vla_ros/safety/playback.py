"""Setpoints at the command rate become targets at the filter's rate: a uniform cubic B-spline in whole numbers.

Played raw, a 100 Hz setpoint would put all the motion of 10 ms into one tick of 4 ms; joined by straight lines, all the
acceleration. The k-th difference of the targets, k = 1, 2, 3, is a weighted mean of the k-th differences of the
setpoints: a stream that keeps the velocity, acceleration and jerk limits from setpoint to setpoint keeps them from tick
to tick, and passes unchanged. The price: the target lies off an evenly spaced setpoint p by a sixth of its second
difference, at most A T^2 / 6 (T: spacing; 60 microradian at 3.75 rad/s^2 and 10 ms), and two more setpoints should be
there when one is played (see `target` for when they are not yet).

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

        Before the first setpoint: the start. From the newest on: the newest. On the last stretch before it, where the
        next one has not arrived yet, the stream is taken to go on straight; that is still a mean of known setpoints, so
        nothing is extrapolated, and one that arrives late bends the path by u^3 / 6 of a second difference only.
        """
        due_ns, points = self._due_ns, self._points
        while len(due_ns) > 2 and due_ns[2] <= time_ns:
            due_ns.popleft()
            points.popleft()
        if not due_ns or time_ns <= due_ns[0]:
            return points[0] if points else self._start
        i = 1 if len(due_ns) > 1 and due_ns[1] <= time_ns else 0
        if i == len(points) - 1:
            return points[i]
        span, u = due_ns[i + 1] - due_ns[i], time_ns - due_ns[i]
        before, here, next_ = points[max(0, i - 1)], points[i], points[i + 1]
        after = points[i + 2] if i + 2 < len(points) else [2 * b - a for a, b in zip(here, next_, strict=True)]
        w_before, w_next, w_after = (span - u) ** 3, ((3 * span - 3 * u) * u + 3 * span * span) * u + span**3, u**3
        whole = 6 * span**3
        return [
            p + (w_before * (p_before - p) + w_next * (p_next - p) + w_after * (p_after - p) + whole // 2) // whole
            for p_before, p, p_next, p_after in zip(before, here, next_, after, strict=True)
        ]
