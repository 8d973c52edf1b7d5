"""Discontinuities between chunks: jumps of velocity and acceleration, measured on the setpoints that were played."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.time import NS_PER_S


@dataclass(frozen=True)
class DiscontinuityStatistics:
    """Jumps of velocity (rad/s) and acceleration (rad/s^2) at transitions, each the largest of the joints.

    The names are keys of the JSON report.

    Attributes:
        seams: number of transitions.
        velocity, acceleration: mean of the jumps.
        largest_velocity, largest_acceleration: the largest jump.
        between_velocity, between_acceleration: mean of all other moments, which is what motion has without transitions.
    """

    seams: int = 0
    velocity: float = 0.0
    largest_velocity: float = 0.0
    acceleration: float = 0.0
    largest_acceleration: float = 0.0
    between_velocity: float = 0.0
    between_acceleration: float = 0.0


class DiscontinuityMeter:
    """Collects setpoints and transitions.

    Args:
        period_ns: between setpoints.
        joints: (n,) mask of those that count.
    """

    def __init__(self, period_ns: int, joints: NDArray[np.bool_]) -> None:
        self._period_ns, self._joints = period_ns, joints
        self._times: list[int] = []
        self._points: list[Array] = []
        self._transitions: list[int] = []

    def add_transition(self, at_ns: int) -> None:
        """The setpoints may leave the chunk before from `at_ns` on."""
        self._transitions.append(at_ns)

    def add_setpoint(self, now_ns: int, setpoint: Array) -> None:
        """This setpoint, (n,), is sent now."""
        self._times.append(now_ns)
        self._points.append(setpoint[self._joints])

    def statistics(self) -> DiscontinuityStatistics:
        """Return what was found. At a transition that is the largest jump of the differences that reach across it."""
        if len(self._times) < 4:
            return DiscontinuityStatistics()
        times = np.array(self._times, np.int64)
        whole, dt_s = np.diff(times) == self._period_ns, self._period_ns / NS_PER_S
        steps = np.diff(np.array(self._points), axis=0)
        # The stream has gaps: a difference counts where the setpoints that it needs are next to each other.
        velocity = np.abs(np.diff(steps, axis=0)).max(1) / dt_s
        acceleration = np.abs(np.diff(steps, 2, axis=0)).max(1) / dt_s**2
        good2, good3 = whole[1:] & whole[:-1], whole[2:] & whole[1:-1] & whole[:-2]
        seen2, seen3 = times[1:-1][good2], (times[1:-2] + self._period_ns // 2)[good3]
        velocity, acceleration = velocity[good2], acceleration[good3]
        near2, near3 = (np.zeros(len(seen), bool) for seen in (seen2, seen3))
        found = []
        for transition in self._transitions:
            at2 = np.abs(seen2 - transition) <= self._period_ns
            at3 = np.abs(seen3 - transition) <= 3 * self._period_ns // 2
            if at2.any() and at3.any():
                found.append((velocity[at2].max(), acceleration[at3].max()))
                near2, near3 = near2 | at2, near3 | at3
        if not found:
            return DiscontinuityStatistics()
        jumps = np.array(found)
        means, largest = jumps.mean(0), jumps.max(0)
        return DiscontinuityStatistics(
            len(found),
            float(means[0]),
            float(largest[0]),
            float(means[1]),
            float(largest[1]),
            _mean(velocity[~near2]),
            _mean(acceleration[~near3]),
        )


def combine(parts: Iterable[DiscontinuityStatistics]) -> DiscontinuityStatistics:
    """Return that of several episodes, each weighted by its transitions."""
    known = [part for part in parts if part.seams]
    if not known:
        return DiscontinuityStatistics()
    total = sum(part.seams for part in known)

    def mean(name: str) -> float:
        return float(sum(part.seams * getattr(part, name) for part in known) / total)

    return DiscontinuityStatistics(
        total,
        mean("velocity"),
        max(part.largest_velocity for part in known),
        mean("acceleration"),
        max(part.largest_acceleration for part in known),
        mean("between_velocity"),
        mean("between_acceleration"),
    )


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0
