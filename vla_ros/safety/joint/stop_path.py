"""Where will the stop policy have taken a joint at each tick until rest?

The policy (`JerkLimit.stop_policy`) builds its brake up in few ticks, holds it, and takes it back in few ticks. While it is
held, position and velocity are polynomials of the tick. So the path is a short list of segments of constant acceleration,
equal to the policy tick by tick, and no tick has to be stepped through.
"""

from __future__ import annotations

from bisect import bisect_right

from vla_ros.safety.joint.stopping_distance import max_stoppable_speed, stopping_distance


class StopPath:
    """The path of one joint from the state (q, v, a), in nanoradian (nanometre) and ticks.

    ticks: until rest.

    Args:
        q, v, a: state at tick 0.
        acceleration, jerk: limits of the joint.
    """

    __slots__ = ("_segments", "_start_ticks", "ticks")

    def __init__(self, q: int, v: int, a: int, acceleration: int, jerk: int) -> None:
        self._start_ticks: list[int] = []
        self._segments: list[tuple[int, int, int, int]] = []  # before it: q, path length, v; within it: a
        release_speed = stopping_distance(acceleration, jerk)
        tick = length = 0
        start_ticks, segments = self._start_ticks, self._segments
        while v or a:
            # As `JerkLimit.stop_policy`: max_stoppable_speed(|v|, J) >= A means |v| >= stopping_distance(A, J).
            speed = -v if v < 0 else v
            brake = acceleration if speed >= release_speed else max_stoppable_speed(speed, jerk)
            wanted = brake if v < 0 else -brake
            a = a + jerk if wanted > a + jerk else a - jerk if wanted < a - jerk else wanted
            start_ticks.append(tick)
            segments.append((q, length, v, a))
            if speed >= release_speed and a == (acceleration if v < 0 else -acceleration):
                count = 1 + (speed - release_speed) // acceleration  # for so many ticks the brake stays full
                # Within a segment of more than one tick the velocity keeps its sign.
                step = count * v + a * count * (count + 1) // 2
                v += count * a
                tick += count
            else:
                step = v = v + a
                tick += 1
            q += step
            length += -step if step < 0 else step
        start_ticks.append(tick)
        segments.append((q, length, 0, 0))
        self.ticks = tick

    def acceleration_steps(self) -> tuple[list[int], list[int]]:
        """Return the ticks at which the acceleration changes, and by how much; before the first it is 0."""
        before, changes = 0, []
        for _, _, _, a in self._segments:
            changes.append(a - before)
            before = a
        return self._start_ticks, changes

    def corners(self) -> tuple[list[int], list[int]]:
        """Return the ticks at which the acceleration changes, and the velocity at each; between them it is linear."""
        return self._start_ticks, [v for _, _, v, _ in self._segments]

    def position(self, tick: int) -> int:
        """Return the position after `tick` ticks."""
        i = bisect_right(self._start_ticks, tick) - 1
        q, _, v, a = self._segments[i]
        k = tick - self._start_ticks[i]
        return q + k * v + a * k * (k + 1) // 2

    def path_length(self, tick: int) -> int:
        """Return the distance covered in the first `tick` ticks, back and forth added up."""
        if tick >= self.ticks:
            return self._segments[-1][1]
        i = bisect_right(self._start_ticks, tick) - 1
        _, length, v, a = self._segments[i]
        k = tick - self._start_ticks[i]
        return length + abs(k * v + a * k * (k + 1) // 2)
