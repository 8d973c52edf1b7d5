"""Setpoints at the command rate become targets at the filter's rate: a cubic B-spline in whole numbers.

Played raw, a 100 Hz setpoint would put all the motion of 10 ms into one tick of 4 ms; joined by straight lines, all the
acceleration. Here the k-th difference of the targets, k = 1, 2, 3, is a weighted mean of the k-th differences of the
setpoints: a stream that keeps the velocity, acceleration and jerk limits from setpoint to setpoint keeps them from tick
to tick, and passes unchanged. The price: the target lies off an evenly spaced setpoint p by a sixth of its second
difference, at most A T^2 / 6 (T: spacing; 60 microradian at 3.75 rad/s^2 and 10 ms), and two more setpoints should be
there when one is played.

Stamps are carried along the same spline as positions: with control points (t_i, p_i) and the uniform basis b,
    t(s) = sum b(s - i) t_i,  p(s) = sum b(s - i) p_i,
the target at time t is p(s) with t(s) = t. Evenly stamped setpoints make t(s) a straight line; a gap or jitter in the
stamps changes no speed, since a constant speed p_i = v t_i gives p(s) = v t(s).

Source: C. de Boor, A Practical Guide to Splines, chapters IX-XI.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CAPACITY = 256
"""Setpoints kept at most; a source that stamps further ahead than that loses the oldest."""
BITS = 32
ONE = 1 << BITS
"""A stretch between two setpoints, in units of s. 10 ms / 2^32 is far less than any position resolves."""
CUBE = ONE**3

Weights = tuple[int, int, int]


@dataclass(slots=True)
class SetpointSpline:
    """The stream of one source, from the moment that it is followed. Plain values: it is a part of `FilterState`.

    start: output at that moment, nanoradian (nanometre) per joint; the stream is entered from here. period_ns: nominal
    spacing of setpoints. due_ns, points: when each of the setpoints is due, and where, oldest first.
    """

    start: list[int]
    period_ns: int
    due_ns: list[int] = field(default_factory=list)
    points: list[list[int]] = field(default_factory=list)

    def continues(self, due_ns: int) -> bool:
        """Return whether a setpoint for `due_ns` comes after the newest; a source that was restarted may stamp it earlier."""
        return not self.due_ns or due_ns > self.due_ns[-1]

    def add(self, due_ns: int, point: list[int]) -> None:
        """Append a setpoint that is meant for `due_ns`, later than the one before."""
        if not self.due_ns:
            for periods in (4, 3, 2, 1):
                self.due_ns.append(due_ns - periods * self.period_ns)
                self.points.append(self.start)
        self.due_ns.append(due_ns)
        self.points.append(point)
        if len(self.due_ns) > CAPACITY:
            del self.due_ns[0], self.points[0]

    def target(self, time_ns: int) -> list[int]:
        """Return the target at `time_ns` per joint; times must not decrease from call to call.

        Before the first setpoint: the start. From the newest on: the newest. On the last stretch before it, where the
        next one has not arrived yet, the stream is taken to go on straight; that is still a mean of known setpoints, so
        nothing is extrapolated, and one that arrives late bends the path by u^3 / 6 of a second difference only.
        """
        due_ns, points = self.due_ns, self.points
        if not points:
            return self.start
        if time_ns >= due_ns[-1]:
            return points[-1]
        while len(due_ns) > 4 and _knot(due_ns, 3) <= time_ns:
            del due_ns[0], points[0]
        i = 2 if _knot(due_ns, 2) <= time_ns else 1
        if time_ns <= _knot(due_ns, 1):
            return points[0]
        last = i + 2 == len(due_ns)
        after_ns = 2 * due_ns[i + 1] - due_ns[i] if last else due_ns[i + 2]
        weights = _solve(
            due_ns[i - 1] - due_ns[i], due_ns[i + 1] - due_ns[i], after_ns - due_ns[i], time_ns - due_ns[i]
        )
        before, here, next_ = points[i - 1], points[i], points[i + 1]
        after = [2 * b - a for a, b in zip(here, next_, strict=True)] if last else points[i + 2]
        w_before, w_next, w_after = weights
        w_here = 6 * CUBE - w_before - w_next - w_after
        half = 3 * CUBE
        # Divided by 6 CUBE in two steps: Python divides by small numbers, and shifts, much faster than by large ones.
        return [
            (w_before * p_before + w_here * p + w_next * p_next + w_after * p_after + half) // 6 >> 3 * BITS
            for p_before, p, p_next, p_after in zip(before, here, next_, after, strict=True)
        ]


def _knot(due_ns: list[int], i: int) -> int:
    """Where the stretch that begins at setpoint i begins on the clock: t(s = i), rounded up."""
    return -(-(due_ns[i - 1] + 4 * due_ns[i] + due_ns[i + 1]) // 6)


def _weights(u: int) -> Weights:
    """Six times the basis at u, in units of CUBE, of the setpoints before, next and after; they share the rest of 6."""
    v = ONE - u
    return v * v * v, (3 * v * u + 3 * ONE * ONE) * u + CUBE, u * u * u


def _solve(before_ns: int, next_ns: int, after_ns: int, time_ns: int) -> Weights:
    """The weights at which the stamps' spline is at `time_ns`; all times from the stamp of the stretch's setpoint.

    The spline rises with u, because the stamps do, and is a straight line where they are even: the first guess is then
    right, and Newton's steps, kept inside the bracket, are few elsewhere.
    """
    wanted = time_ns * 6 * CUBE
    low, high, u = 0, ONE, max(0, min(ONE, time_ns * ONE // next_ns))
    while True:
        w_before, w_next, w_after = weights = _weights(u)
        error = w_before * before_ns + w_next * next_ns + w_after * after_ns - wanted
        if error > 0:
            high = u
        else:
            low = u
        v = ONE - u
        slope = 3 * (-v * v * before_ns + (ONE * ONE + 2 * ONE * u - 3 * u * u) * next_ns + u * u * after_ns)
        step = (2 * error + slope) // (2 * slope)
        if step == 0 or high - low <= 1:
            return weights
        u -= step
        if not low < u < high:
            u = (low + high) // 2
