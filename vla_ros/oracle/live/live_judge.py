"""The second opinion on a running arm: limits of each message sent, distances of what is sent and of what is measured.

It is given messages and times and owns neither clock nor log. Nothing is judged while nothing is sent: an arm that is moved
by its own controls is nobody's violation.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.oracle.live.obstacle_watch import ObstacleWatch
from vla_ros.oracle.live.pair_watch import PairWatch
from vla_ros.oracle.live.sent_stream import SentMessage, SentStream
from vla_ros.oracle.oracle import JointBounds, Oracle
from vla_ros.oracle.pair_distances import PairDistances
from vla_ros.oracle.robot import JudgedBody
from vla_ros.safety.limits_summary import limits_summary
from vla_ros.safety.safety_parameters import SafetyFilterParameters

Integers = NDArray[np.int64]

ROWS = ("sent", "the end of what is sent", "measured")
SENT_FOR_NS = 250_000_000
"""The arm counts as driven for so long after the newest message, and while that leads somewhere."""
LET_GO_S = 1.0
"""From disarming to moving the arm by other means: for less, it may still count as driven."""
MEASURED_FOR_NS = 500_000_000
"""A joint that was not measured for longer is not known."""
WINDOW_NS = 50_000_000
"""Measured speeds are means over at least this time."""
REACTION_S = 0.3
"""From an obstacle's message to the filter's first braking output, on a machine that stalls."""


class LiveJudge:
    """Judges one arm while it runs.

    limits: what it holds, see `limits_summary`. notes: what is not judged, and why.

    Args:
        urdf: text of the URDF.
        parameters: the configuration of the filter.
        outputs: name of each controller → its joints, in the order of its messages.
        measured_tolerance_m: how much nearer than a margin the measured arm may be.

    Raises:
        ParameterError: the URDF cannot be read or lacks a joint.
    """

    def __init__(
        self,
        urdf: str,
        parameters: SafetyFilterParameters,
        outputs: Mapping[str, Sequence[str]],
        measured_tolerance_m: float,
    ) -> None:
        self._oracle = oracle = Oracle(urdf, parameters)
        self._names = parameters.joint_names
        self._index = {name: i for i, name in enumerate(self._names)}
        self._bounds = [oracle.bounds[name] for name in self._names]
        self.limits = limits_summary(map(_numbers, self._names, self._bounds), parameters)
        self.notes = oracle.notes
        errors = dict(zip(self._names, parameters.measured.tracking_error, strict=True))
        self._streams = {
            output: SentStream(
                joints, [oracle.bounds[n] for n in joints], parameters.period_s, [errors[n] for n in joints]
            )
            for output, joints in outputs.items()
        }
        self._order = np.array([self._index[name] for joints in outputs.values() for name in joints])
        tolerances_m = np.array([0.0, 0.0, measured_tolerance_m])
        self._watches = [PairWatch(rule, tolerances_m) for rule in oracle.rules()]
        self._tolerances_m = tolerances_m[[0, 2]]
        self._obstacles: dict[str, ObstacleWatch] = {}
        self._brake_ns = round(1e9 * (REACTION_S + max(map(_brake_s, self._bounds))))
        self._tolerance = np.array(parameters.measured.position_tolerance)
        self._lower, self._upper = np.array([b.lower for b in self._bounds]), np.array([b.upper for b in self._bounds])
        kinds = [oracle.robot.joints[name].kind for name in self._names]
        self._turns = np.array([math.tau if kind == "continuous" else math.inf for kind in kinds])
        self._speeds = np.array([bounds.velocity for bounds in self._bounds])
        self._measured = np.full(len(self._names), math.nan)
        self._measured_ns = np.zeros(len(self._names), np.int64)
        self._stamps_ns = np.zeros(len(self._names), np.int64)
        self._window: deque[tuple[Integers, Array]] = deque()
        self._fault = ""

    def sent(self, output: str, message: SentMessage) -> None:
        """Take a message to a controller; what it breaks is told by the next `judge`."""
        stream = self._streams[output]
        joints = [self._index[name] for name in stream.names]
        known, width = self._measured[joints], message.positions.shape[-1]
        if width != len(stream.names):
            fault = f"{width} positions for {len(stream.names)} joints"
        else:
            first = np.reshape(message.positions, (-1, width))[0]
            fault = stream.take(message, _nearest_turn(known, first, self._turns[joints]))
        if fault and not self._fault:
            self._fault = f"{output}: {fault}"

    def measured(self, receive_ns: int, stamp_ns: int, names: Sequence[str], positions: Sequence[float]) -> None:
        """Take a joint state, of some of the joints or all; what is not finite or not of this arm is left out.

        Args:
            receive_ns: on the monotonic clock. stamp_ns: when it was measured, on any clock that runs; speeds are by it.
        """
        for name, position in zip(names, positions, strict=False):
            i = self._index.get(name)
            if i is not None and math.isfinite(position):
                before = (
                    self._measured[i] if math.isfinite(self._measured[i]) else (self._lower[i] + self._upper[i]) / 2
                )
                self._measured[i] = _nearest_turn(position, before, self._turns[i])
                self._measured_ns[i], self._stamps_ns[i] = receive_ns, stamp_ns

    def obstacles(self, now_ns: int, obstacles: Mapping[str, JudgedBody]) -> None:
        """Take the complete list of obstacles: id → body of the link WORLD, see `box`, `ball` and `capsule`."""
        before, self._obstacles = self._obstacles, {}
        for name, body in obstacles.items():
            watch = self._obstacles[name] = before.get(name) or ObstacleWatch(self._tolerances_m)
            watch.put(body, self._oracle.distances_of, now_ns + self._brake_ns)

    def hears_sent(self, ros_ns: int) -> bool:
        """Whether every controller is sent something now."""
        return all(
            stream.sent_ns is not None and ros_ns - max(stream.sent_ns, stream.ends_ns()) <= SENT_FOR_NS
            for stream in self._streams.values()
        )

    def hears_measured(self, now_ns: int) -> bool:
        """Whether the position of every joint is known."""
        return bool((now_ns - self._measured_ns <= MEASURED_FOR_NS).all()) and bool(np.isfinite(self._measured).all())

    def judge(self, now_ns: int, ros_ns: int) -> str:
        """Return what is broken now, as a sentence; empty: nothing.

        Args:
            now_ns: on the monotonic clock, as the times of joint states. ros_ns: on the ROS clock, as those of what is sent.
        """
        fault, self._fault = self._fault, ""
        if not self.hears_sent(ros_ns):
            self._window.clear()
            return ""
        known = self.hears_measured(now_ns)
        return fault or (self._measured_fault() if known else "") or self._too_near(now_ns, ros_ns, known)

    def _measured_fault(self) -> str:
        """Range and speed of the measured joints."""
        q, stamps_ns, window = self._measured.copy(), self._stamps_ns.copy(), self._window
        if not window or (stamps_ns > window[-1][0]).any():
            window.append((stamps_ns, q))
        while len(window) > 1 and (stamps_ns - window[1][0] >= WINDOW_NS).all():
            window.popleft()
        begin_ns, begin = window[0]
        past = np.maximum(self._lower - q, q - self._upper) - self._tolerance
        if past.max() > 0.0:
            i = int(past.argmax())
            return f"{self._names[i]} is measured {past[i] + self._tolerance[i]:.4g} beyond its range"
        span_s = (stamps_ns - begin_ns) / 1e9
        # Both ends of the window may be off by the noise of the sensor.
        speed = (np.abs(q - begin) - 2 * self._tolerance) / np.maximum(span_s, 1e-9)
        fast = (speed > self._speeds) & (span_s * 1e9 >= WINDOW_NS)
        if fast.any():
            i = int(fast.argmax())
            return f"{self._names[i]}: velocity {speed[i]:.4g} is measured, {self._speeds[i]:.4g} is allowed"
        return ""

    def _too_near(self, now_ns: int, ros_ns: int, known: bool) -> str:
        """The distances of what is sent and of what is measured."""
        # A joint that no message moves, a gripper with an action, is where it is measured.
        q = np.tile(np.where(np.isfinite(self._measured), self._measured, (self._lower + self._upper) / 2), (3, 1))
        ends = [stream.positions(ros_ns) for stream in self._streams.values()]
        for row in (0, 1):
            q[row, self._order] = np.concatenate([each[row] for each in ends])
        q[2] = self._measured if known else q[0]
        poses = self._oracle.link_poses(q)
        for watch in self._watches:
            found = watch.look(poses)
            if found is not None:
                return _words(watch.pairs, ROWS, *found)
        if self._obstacles:
            poses = self._oracle.link_poses(q[[0, 2]])
            for name, obstacle in self._obstacles.items():
                found = obstacle.look(poses, now_ns)
                if found is not None:
                    return f"{_words(obstacle.pairs, ROWS[::2], *found)} (obstacle {name!r:.80})"
        return ""


def _nearest_turn(q: Array | float, to: Array | float, turn: Array | float) -> Any:
    """Return positions moved by whole turns, so that they are nearest to others: drivers wrap a continuous joint.

    turn: 2 pi for a continuous joint, infinite for the others, which are not moved.
    """
    turns = np.round(np.subtract(to, q) / turn)
    return q + np.where(turns == 0.0, 0.0, turns * np.where(np.isfinite(turn), turn, 0.0))


def _words(pairs: PairDistances, rows: Sequence[str], pair: int, row: int, distance_m: float) -> str:
    what = pairs.pairs[pair]
    return f"{what.rule}: {what.what}, {rows[row]}: {distance_m:.4f} m apart, {what.margin_m:.4f} m are kept"


def _numbers(name: str, bounds: JointBounds) -> tuple[str, float, float, float, float, float]:
    return name, bounds.lower, bounds.upper, bounds.velocity, bounds.acceleration, bounds.jerk


def _brake_s(bounds: JointBounds) -> float:
    """Time in which a joint comes to rest from its full speed, its acceleration built up and let go."""
    return bounds.velocity / bounds.acceleration + 2 * bounds.acceleration / bounds.jerk
