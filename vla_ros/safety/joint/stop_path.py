"""Where will the stop policy have taken a joint at each tick until rest?

The policy (`JerkLimit.stop_policy`) builds its brake up in few ticks, holds it, and takes it back in few ticks. While it is
held, position and velocity are polynomials of the tick. So the path is a short list of segments of constant acceleration,
equal to the policy tick by tick, and no tick has to be stepped through.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from vla_ros.safety.compiled import compiled
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


def stop_path_length(v: int, a: int, acceleration: int, jerk: int) -> int:
    """Return a bound on what the stop policy covers until rest, back and forth added up, the step just taken included.

    As `PositionLimit.stop_distance_bound`: the path on with the present velocity, and the path back of an acceleration
    against it.

    Args:
        v, a: velocity and acceleration after the step, per tick and per tick squared.
        acceleration, jerk: limits of the joint.
    """
    speed, against = abs(v), (v < 0) is not (a < 0)
    a = abs(a)
    if not (speed or a):
        return 0
    rise = stopping_distance(a, jerk) - a
    # Ticks in which the brake is built up and released.
    ramp_ticks = 2 - (-2 * acceleration // jerk) - (-a // jerk)
    if not against or not speed:
        peak = speed + rise
        return speed + peak * ramp_ticks + stopping_distance(peak, acceleration)
    back = max(0, rise - speed)
    return (
        speed
        + (speed + back) * ramp_ticks
        + stopping_distance(speed, acceleration)
        + stopping_distance(back, acceleration)
    )


@compiled
def stop_path_lengths(states: Sequence[tuple[int, int, int]], limits: Sequence[tuple[int, int]]) -> list[int]:
    """Return `stop_path_length` of each joint.

    Args:
        states: (q, v, a) of each. limits: acceleration and jerk of each.
    """
    return [stop_path_length(v, a, *own) for (_, v, a), own in zip(states, limits, strict=True)]


@compiled
def peak_rates(
    before: Sequence[tuple[int, int, int]],
    after: Sequence[tuple[int, int, int]],
    limits: Sequence[tuple[int, int]],
    scale: float,
) -> bytes:
    """Return the largest rate of each joint around a step and on the way to rest after it, as the bytes of (n,) float64.

    Args: as of `stop_rates`.
    """
    rates = []
    for (_, v0, a0), (_, v, a), (_, jerk) in zip(before, after, limits, strict=True):
        gain = stopping_distance(abs(a), jerk) - abs(
            a
        )  # while the acceleration runs out; see `VelocityLimit.peak_speed`
        peak = max(v + gain * (a > 0), -v + gain * (a < 0))
        rates.append(max(peak, abs(v0), abs(v0 - a0)))
    return (np.array(rates) * scale).tobytes()


@compiled
def stop_rates(
    before: Sequence[tuple[int, int, int]],
    after: Sequence[tuple[int, int, int]],
    limits: Sequence[tuple[int, int]],
    scale: float,
) -> bytes:
    """Return the rates of the joints around a step and on the way to rest after it, as the bytes of (r, n) float64.

    Rows: the step before the last one, the last one, the candidate's, those of the stop; the last one is 0.

    Args:
        before, after: (q, v, a) of each joint before the candidate's step and after it.
        limits: acceleration and jerk of each. scale: from a tick's velocity to SI.
    """
    paths = [StopPath(q, v, a, *own) for (q, v, a), own in zip(after, limits, strict=True)]
    moving = any(v or a for states in (before, after) for _, v, a in states)
    length = 2 + max(path.ticks for path in paths) if moving else 1
    ticks = np.arange(length)
    corners: list[int] = []
    speeds: list[int] = []
    for i, path in enumerate(paths):  # one after the other, so that one call interpolates all
        at, v = path.corners()
        corners += [2 * i * length + tick for tick in (*at, length)]
        speeds += [*v, 0]
    where = ticks + 2 * length * np.arange(len(after))[:, None]
    stop = np.interp(where.ravel(), corners, speeds).reshape(len(after), length)
    start = [[v - a for _, v, a in before], [v for _, v, _ in before]]
    return (np.vstack([np.array(start), stop.T]) * scale).tobytes()
