"""The filter's outputs as a trajectory: what a joint_trajectory_controller is sent, with the way to rest behind it.

The outputs q_k, one per tick of h, are the control points of a uniform cubic B-spline. At time t_k = t_0 + k h + D, with the
horizon D, it has
    p = (q_{k-1} + 4 q_k + q_{k+1}) / 6,   v = (q_{k+1} - q_{k-1}) / (2 h),
and a cubic between two such knots is the spline itself. Its n-th derivative, n = 1, 2, 3, is at every time a convex mean of
the outputs' n-th differences over h^n, so whatever bounds these bounds what is executed, sampled when it may be.

Each message holds the newest outputs, and behind them those that the stop policy would give, until rest. A controller that
hears nothing more comes to rest by it. An output q_k bends the path from t_{k-2} on: a message that arrives before that
changes nothing that is executed already. A tick that is later than `lateness_ns` is therefore not told; it counts as the stop
policy's step, which is what the controller executes.

Source: C. de Boor, A Practical Guide to Splines, chapters IX-XI. Measured on joint_trajectory_controller: docs/safety.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.safety.compiled import compiled
from vla_ros.safety.controller_parameters import DELIVERY_S, ControllerParameters
from vla_ros.safety.joint.joint_limits import NANO, TickLimits
from vla_ros.safety.joint.stop_path import StopPath

Integers = NDArray[np.int64]

OVERLAP_NS = 4_000_000
"""The first knot lies so long before now: a controller begins a message whose first point is still to come with a jump."""
ENTRY_NS = 400_000_000
"""In this time the controller leads the arm from where it holds it to where the output begins."""
SETTLE_NS = 50_000_000
"""After that, before the stream begins."""
CLOCK_STEP_NS = 3_000_000
"""A clock that is off by more from tick to tick has been set; the horizon does not cover it."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One message, as arrays.

    stamp_ns: ROS time from which times count. times_ns: (n,) rising, the first is not negative. positions, velocities:
    (n, joints), rad or m and per second; the last velocity is 0. accelerations: likewise; None: not said.
    """

    stamp_ns: int
    times_ns: Integers
    positions: Array
    velocities: Array
    accelerations: Array | None = None


def entry_ticks(period_ns: int) -> int:
    """Return how many ticks the entry takes, from its message to the first one of the stream."""
    return -(-(ENTRY_NS + SETTLE_NS) // period_ns)


class CommittedPath:
    """The newest outputs, from which a message is made.

    Args:
        limits: of the joints, per tick.
        period_ns: of a tick.
        horizon_ns: D.
    """

    def __init__(self, limits: Sequence[TickLimits], period_ns: int, horizon_ns: int) -> None:
        self._limits = [(joint.acceleration, joint.jerk) for joint in limits]
        self._period_ns = period_ns
        self._horizon_ns = horizon_ns
        self._back = max(2, -(-(horizon_ns + OVERLAP_NS) // period_ns))
        self._rows: deque[list[int]] = deque(maxlen=self._back + 2)

    def start(self, q: list[int]) -> None:
        """Begin at rest at q, nanoradian or nanometre per joint."""
        self._rows.extend([q] * (self._back + 2))

    def add(self, q: list[int]) -> None:
        """Append the output of the next tick."""
        self._rows.append(q)

    def replace_newest(self, q: list[int]) -> None:
        """Put another output in the place of the newest."""
        self._rows[-1] = q

    def trajectory(self, tick_ns: int) -> Trajectory:
        """Return the message of the newest output, whose tick is at `tick_ns`, ROS time."""
        found = knots(self._rows, self._limits, self._period_ns)
        if found is None:
            rest = np.array([self._rows[-1]] * 2) / float(NANO)
            return self._message(tick_ns, np.array([0, len(self._rows)], np.int64), rest, np.zeros_like(rest))
        kept, p, v = found
        shape = -1, len(self._limits)
        return self._message(
            tick_ns,
            np.frombuffer(kept, np.int64),
            np.frombuffer(p).reshape(shape),
            np.frombuffer(v).reshape(shape),
        )

    def _message(self, tick_ns: int, knots: Integers, p: Array, v: Array) -> Trajectory:
        stamp_ns = tick_ns - self._back * self._period_ns + self._horizon_ns
        return Trajectory(stamp_ns, knots * self._period_ns, p, v)


class TrajectoryStream:
    """Which message each tick sends: the entry once, then the committed path, on a grid of its own.

    lateness_ns: a tick that is told later than this after its time counts as a stop step.

    Args:
        parameters: of the controller.
        limits: of the joints, per tick.
        period_ns: of a tick.
        clock_step_ns: a tick that is so far off the grid shows that the clock has been set.
    """

    def __init__(
        self,
        parameters: ControllerParameters,
        limits: Sequence[TickLimits],
        period_ns: int,
        clock_step_ns: int = CLOCK_STEP_NS,
    ) -> None:
        horizon_ns = round(parameters.horizon_s * NANO)
        self.lateness_ns = round(horizon_ns - 2 * period_ns - NANO * (1.0 / parameters.update_rate_hz + DELIVERY_S))
        self._path = CommittedPath(limits, period_ns, horizon_ns)
        self._period_ns = period_ns
        self._entry_ticks = entry_ticks(period_ns)
        self._clock_step_ns = clock_step_ns
        self._tick_ns: int | None = None  # of the newest output, on the grid; None: the stream has not begun

    def tick(self, positions: Sequence[float] | None, entering: int, ros_ns: int) -> Trajectory | None:
        """Take over the output of a tick and return what is to be sent; None: nothing.

        Args:
            positions: rad or m per joint; None: the filter sends nothing.
            entering: `FilterState.entry_ticks` of the tick.
            ros_ns: time of the tick.
        """
        if positions is None or entering:
            self._tick_ns = None
            if positions is None or entering != self._entry_ticks:
                return None
            q = np.array([positions])
            return Trajectory(ros_ns, np.array([ENTRY_NS], np.int64), q, np.zeros_like(q), np.zeros_like(q))
        if self._tick_ns is None:
            self._tick_ns = ros_ns
            self._path.start(_integers(positions))
        else:
            self._tick_ns += self._period_ns
            self._path.add(_integers(positions))
        return self._path.trajectory(self._tick_ns)

    @property
    def streaming(self) -> bool:
        """Whether the newest message was one of the stream, not the entry."""
        return self._tick_ns is not None

    def missed(self, positions: Sequence[Sequence[float]], count: int) -> None:
        """Take over the outputs of `count` ticks that nothing was sent for; the last one goes on where there are fewer."""
        if self._tick_ns is None or not positions:
            return
        self._tick_ns += count * self._period_ns
        for row in positions:
            self._path.add(_integers(row))
        for _ in range(min(count - len(positions), 100)):
            self._path.add(_integers(positions[-1]))

    def retract(self, positions: Sequence[float]) -> None:
        """The newest output was not sent in time: this one is what the controller executes."""
        if self._tick_ns is not None:
            self._path.replace_newest(_integers(positions))

    def clock_was_set(self, ros_ns: int) -> bool:
        """Return whether the next tick, at `ros_ns`, lies off the grid."""
        return self._tick_ns is not None and abs(ros_ns - self._tick_ns - self._period_ns) > self._clock_step_ns


def _integers(positions: Sequence[float]) -> list[int]:
    return [round(q * NANO) for q in positions]


@compiled
def knots(
    outputs: Iterable[list[int]], limits: Sequence[tuple[int, int]], period_ns: int
) -> tuple[bytes, bytes, bytes] | None:
    """Return the knots of the newest outputs and of the way to rest behind them; None: the outputs are all the same.

    Args:
        outputs: at least three, nanoradian or nanometre per joint.
        limits: acceleration and jerk of each joint, per tick.
        period_ns: of a tick.

    Returns:
        numbers of the knots, (k,) int64; positions, rad or m, and velocities, per second, (k, joints) float64; as bytes.
    """
    rows = np.array(outputs, np.int64)
    if (rows == rows[-1]).all():
        return None
    points = np.concatenate([rows, _way_to_rest(rows, limits)])
    seconds = points[2:] - 2 * points[1:-1] + points[:-2]
    thirds = seconds[1:] - seconds[:-1]
    corners = (thirds[1:] != thirds[:-1]).any(axis=1).nonzero()[0]
    kept = np.empty(len(corners) + 2, np.int64)
    kept[0], kept[1:-1], kept[-1] = 0, corners + 1, len(points) - 3
    before, at, after = points[kept], points[kept + 1], points[kept + 2]
    p = (before + 4 * at + after) / (6.0 * NANO)
    v = (after - before) / (2.0 * period_ns)  # nanoradian per nanosecond
    return kept.tobytes(), p.tobytes(), v.tobytes()


def _way_to_rest(rows: Integers, limits: Sequence[tuple[int, int]]) -> Integers:
    """The stop policy's outputs after the newest, and the last one three times more."""
    v = rows[-1] - rows[-2]
    a = v - (rows[-2] - rows[-3])
    states = zip(v.tolist(), a.tolist(), limits, strict=True)
    paths = [StopPath(0, vj, aj, *own) for vj, aj, own in states]
    joints = len(paths)
    where: list[int] = []
    jumps: list[int] = []
    for j, path in enumerate(paths):
        starts, accelerations = path.acceleration_steps()
        where += [joints * start + j for start in starts]
        jumps += accelerations
    way = np.zeros((max(path.ticks for path in paths) + 3, joints), np.int64)
    way.put(where, jumps)
    way = way.cumsum(axis=0).cumsum(axis=0)
    way += v
    way = way.cumsum(axis=0)
    way += rows[-1]
    return way
