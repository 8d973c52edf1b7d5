"""A joint_trajectory_controller of ros2_control with a position interface: what it executes of the messages it gets.

In every cycle, at the ROS time `now`, it samples one period T ahead. The newest message replaces the one before. A message
that is new in a cycle sets the controller's own time to `now`; in later cycles the measured period, times the speed scaling,
is added to that time. Before its first point, a message begins at the last command with `interpolate_from_desired_state`,
stamped with the cycle before, else at the measured arm, at rest. After its last point that point holds for ever. Between two
points: a quintic where both have velocities and accelerations, a cubic with velocities, else a straight line.

Source: behaviour of joint_trajectory_controller 4.42 (ROS 2 Jazzy), measured on the real one; docs/safety.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.time import NS_PER_S

REST_SPEED = 1.2e-7
"""A last point that is faster is refused."""


class CommandRefused(ValueError):
    """A command that the controller does not take; the text is one line."""


@dataclass(frozen=True, slots=True)
class PointState:
    """Position, velocity and acceleration of all joints, (joints,); None: not known."""

    p: Array
    v: Array | None = None
    a: Array | None = None


@dataclass(frozen=True, slots=True)
class TrajectoryCommand:
    """A message. stamp_ns: ROS time; 0: it begins when it is taken up. times_ns: of its points, from then on."""

    stamp_ns: int
    times_ns: list[int]
    points: list[PointState]


def command_of(
    stamp_ns: int,
    times_ns: Sequence[int],
    positions: Array,
    velocities: Array | None = None,
    accelerations: Array | None = None,
) -> TrajectoryCommand:
    """Return a message of arrays (points, joints)."""
    rows = [
        PointState(
            p, None if velocities is None else velocities[i], None if accelerations is None else accelerations[i]
        )
        for i, p in enumerate(positions)
    ]
    return TrajectoryCommand(stamp_ns, [int(t) for t in times_ns], rows)


class TrajectoryController:
    """Args: q: where the arm is held. rate_hz: of its cycles. from_desired: `interpolate_from_desired_state`.

    Attributes:
        state: what it commands now. scaling: of its speed.
    """

    def __init__(self, q: Array, rate_hz: float, from_desired: bool = True) -> None:
        self.period_ns = round(NS_PER_S / rate_hz)
        self.from_desired = from_desired
        self.scaling = 1.0
        self.reset(q)

    def reset(self, q: Array, updated_ns: int | None = None) -> None:
        """Hold q, (joints,). updated_ns: ROS time of the newest cycle; None: there was none."""
        self.state = PointState(np.array(q, np.float64))
        self._before = self.state
        self._before_ns = self._start_ns = 0
        self._time_ns = 0.0
        self._last_ns = updated_ns
        self._new = self._active = TrajectoryCommand(0, [0], [self.state])

    def command(self, command: TrajectoryCommand, now_ns: int) -> None:
        """Take a message that arrives at `now_ns`.

        Raises:
            CommandRefused: it has no points, its times do not rise, it moves at its end, or it has ended.
        """
        if not command.points:
            raise CommandRefused("a trajectory of 0 points")
        if any(after <= before for before, after in zip(command.times_ns, command.times_ns[1:], strict=False)):
            raise CommandRefused("the times of the points do not rise")
        if not all(np.isfinite(value).all() for point in command.points for value in _values(point)):
            raise CommandRefused("a value of the trajectory is not finite")
        last = command.points[-1].v
        if last is not None and np.abs(last).max() > REST_SPEED:
            raise CommandRefused("the last point moves; joint_trajectory_controller takes none that does")
        if command.stamp_ns and command.stamp_ns + command.times_ns[-1] < now_ns:
            raise CommandRefused("the trajectory ends in the past; compare the clocks")
        self._new = command

    def update(self, now_ns: int, period_ns: int, measured: Array) -> bool:
        """Run one cycle at the ROS time `now_ns`.

        Args:
            now_ns: ROS time. period_ns: since the cycle before, steady clock. measured: (joints,) positions of the arm.

        Returns:
            whether a message is new in this cycle.
        """
        fresh = self._new is not self._active
        if fresh or self._last_ns is None:
            self._active = self._new
            self._start_ns = self._active.stamp_ns or now_ns
            self._time_ns = float(now_ns)
            self._begin(now_ns, measured)
        else:
            self._time_ns += period_ns * self.scaling
        sample = self._sample(self._time_ns + self.period_ns)
        if sample is not None:
            self.state, self._last_ns = sample, now_ns
        return fresh

    def _begin(self, now_ns: int, measured: Array) -> None:
        """Where a message begins before its first point."""
        if self.from_desired and self._last_ns is not None:
            self._before_ns, before = self._last_ns, self.state
        else:
            self._before_ns, before = now_ns, PointState(np.array(measured, np.float64), np.zeros(len(measured)))
        first = self._active.points[0]
        v = np.zeros(len(before.p)) if before.v is None and first.v is not None else before.v
        a = np.zeros(len(before.p)) if before.a is None and first.a is not None else before.a
        self._before = PointState(before.p, v, a)

    def _sample(self, time_ns: float) -> PointState | None:
        """What is commanded at `time_ns`; None: nothing new."""
        if time_ns < self._before_ns:
            return None
        times_ns, points = self._active.times_ns, self._active.points
        since_ns = time_ns - self._start_ns
        i = bisect_right(times_ns, since_ns) - 1
        if i < 0:
            begin_ns = self._before_ns - self._start_ns
            return between(self._before, points[0], since_ns - begin_ns, times_ns[0] - begin_ns)
        if i + 1 < len(points):
            return between(points[i], points[i + 1], since_ns - times_ns[i], times_ns[i + 1] - times_ns[i])
        last, rest = points[-1], np.zeros(len(points[-1].p))
        return PointState(last.p, rest if last.v is None else last.v, rest if last.a is None else last.a)


def between(begin: PointState, end: PointState, since_ns: float, length_ns: float) -> PointState:
    """Return the state `since_ns` after `begin`, on the way to `end`, which is reached after `length_ns`."""
    h, u = length_ns / NS_PER_S, since_ns / length_ns
    distance = end.p - begin.p
    if begin.v is None or end.v is None:
        return PointState(begin.p + u * distance, distance / h, np.zeros(len(distance)))
    m, n = begin.v * h, end.v * h
    if begin.a is None or end.a is None:
        c = [begin.p, m, 3 * distance - 2 * m - n, m + n - 2 * distance]
    else:
        f, g = begin.a * h * h / 2, end.a * h * h / 2
        c = [begin.p, m, f, 10 * distance - 6 * m - 4 * n - 3 * f + g]
        c += [8 * m + 7 * n + 3 * f - 2 * g - 15 * distance, 6 * distance - 3 * m - 3 * n - f + g]
    p, v, a = c[-1], np.zeros(len(distance)), np.zeros(len(distance))
    for each in c[-2::-1]:  # Horner's rule, for the value and two derivatives at once
        a = a * u + 2 * v
        v = v * u + p
        p = p * u + each
    return PointState(p, v / h, a / (h * h))


def _values(point: PointState) -> list[Array]:
    return [value for value in (point.p, point.v, point.a) if value is not None]
