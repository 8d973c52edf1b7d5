"""Where the stop policy will have taken a joint at each tick until rest, without stepping through all of them.

The policy (`jerk_limit.stop`) builds its brake up in few ticks, holds it, and takes it back in few ticks. While it is held,
position and velocity are polynomials of the tick; so a path is a short list of stretches of constant acceleration, which is
equal to the policy tick by tick.
"""

from __future__ import annotations

from bisect import bisect_right

from vla_ros.safety.joint.stopping_distance import speed, travel


class StopPath:
    """The path of one joint from the state (q, v, a), in nanoradian (nanometre) and ticks.

    ticks: until rest.

    Args:
        q, v, a: state at tick 0.
        acceleration, jerk: limits of the joint.
    """

    __slots__ = ("_begin", "_stretches", "ticks")

    def __init__(self, q: int, v: int, a: int, acceleration: int, jerk: int) -> None:
        self._begin: list[int] = []
        self._stretches: list[tuple[int, int, int, int]] = []  # q, |travelled|, v before the stretch; its acceleration
        release = travel(acceleration, jerk)
        tick = travelled = 0
        begin, stretches = self._begin, self._stretches
        while v or a:
            # What `jerk_limit.stop` does: speed(|v|, J) >= A means |v| >= travel(A, J).
            size = -v if v < 0 else v
            brake = acceleration if size >= release else speed(size, jerk)
            wanted = brake if v < 0 else -brake
            a = a + jerk if wanted > a + jerk else a - jerk if wanted < a - jerk else wanted
            begin.append(tick)
            stretches.append((q, travelled, v, a))
            if size >= release and a == (acceleration if v < 0 else -acceleration):
                count = 1 + (size - release) // acceleration  # for so long the brake stays full
                # Within a stretch of more than one tick the velocity keeps its sign.
                moved = count * v + a * count * (count + 1) // 2
                v += count * a
                tick += count
            else:
                moved = v = v + a
                tick += 1
            q += moved
            travelled += -moved if moved < 0 else moved
        begin.append(tick)
        stretches.append((q, travelled, 0, 0))
        self.ticks = tick

    def at(self, tick: int) -> int:
        """Position after `tick` ticks."""
        i = bisect_right(self._begin, tick) - 1
        q, _, v, a = self._stretches[i]
        k = tick - self._begin[i]
        return q + k * v + a * k * (k + 1) // 2

    def travelled(self, tick: int) -> int:
        """Distance covered in the first `tick` ticks, back and forth added up."""
        if tick >= self.ticks:
            return self._stretches[-1][1]
        i = bisect_right(self._begin, tick) - 1
        _, travelled, v, a = self._stretches[i]
        k = tick - self._begin[i]
        return travelled + abs(k * v + a * k * (k + 1) // 2)
