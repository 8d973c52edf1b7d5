"""What is sent to one controller: is each message within the limits, and does it go on where the one before led?

Two forms. A setpoint is one position per joint and tick; its derivatives are differences per tick. A path has points with
stamps and velocities, which a controller joins by cubics (Hermite); it may begin in the past, and it leads to rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.oracle.oracle import JointBounds

STEP_ROUNDING = 1e-8
"""Rounding of a position, rad or m: outputs are whole nanoradians."""
SHARE = 0.01
"""How far a derivative of a path may pass its limit: positions and stamps of knots are rounded."""
GAP_TICKS = 1.5
"""A setpoint that was sent later than so many ticks after the one before may begin a stream anew, at the measured arm. So may
the next one: a tick that ran late and a skipped one after it make two gaps, of which only one need be this long."""
AT_REST = 1e-6
"""Speed, rad/s or m/s, that counts as rest at the end of a path."""
KNOT_SHARES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])[:, None, None]
"""Where between two knots of a path position and velocity are looked at."""


@dataclass(frozen=True)
class SentMessage:
    """One message to a controller.

    number: the publisher's own count of its messages; 0: not known. sent_ns: when it was sent, on the ROS clock. start_ns:
    to which the times of its points are added; 0: now. times_ns: (K,) of the points. positions: (K, joints), rad or m.
    velocities: (K, joints), per s; None: the message has none.
    """

    number: int
    sent_ns: int
    start_ns: int
    times_ns: Sequence[int]
    positions: Array
    velocities: Array | None = None

    @property
    def is_path(self) -> bool:
        """Whether it is a path, and no setpoint."""
        return self.velocities is not None or len(self.positions) > 1


class SentStream:
    """The stream to one controller.

    sent_ns: when the newest message was sent, ROS clock; None: none was heard.

    Args:
        names, bounds: of its joints, in the order of the messages.
        period_s: of a tick.
        tracking_error: (joints,) how far the arm may be from where a stream begins, rad or m.
    """

    def __init__(
        self, names: Sequence[str], bounds: Sequence[JointBounds], period_s: float, tracking_error: Sequence[float]
    ) -> None:
        self.names = tuple(names)
        self.sent_ns: int | None = None
        self._lower, self._upper = np.array([b.lower for b in bounds]), np.array([b.upper for b in bounds])
        self._limits = [np.array([getattr(b, key) for b in bounds]) for key in ("velocity", "acceleration", "jerk")]
        self._period_s = period_s
        self._tracking_error = np.array(tracking_error)
        self._newest: SentMessage | None = None
        self._steps: list[Array] = []  # newest first: step, change of step, change of that, as far as known
        self._was_late = False  # the newest one

    def take(self, message: SentMessage, measured: Array | None) -> str:
        """Judge a message and go on from it.

        Args:
            message: the newest. measured: (joints,) where the arm is, rad or m; NaN: not known.

        Returns:
            what it breaks; empty: nothing.
        """
        positions = message.positions
        if not np.isfinite(positions).all() or (
            message.velocities is not None and not np.isfinite(message.velocities).all()
        ):
            return "a number that is sent is not finite"
        before, self._newest, self.sent_ns = self._newest, message, message.sent_ns
        outside = self._outside(positions)
        if outside:
            return outside
        if message.is_path:
            return self._path_fault(message) or self._jump(before, message, measured)
        return self._step_fault(before, message, measured)

    def positions(self, ros_ns: int) -> tuple[Array, Array]:
        """Return where the arm is sent now, and where that leads to, (joints,) each, rad or m."""
        assert self._newest is not None
        return self._at(self._newest, ros_ns)[0], self._newest.positions[-1]

    def ends_ns(self) -> int:
        """Return when the newest message ends, ROS clock, ns; it is not before it was sent."""
        assert self._newest is not None
        message = self._newest
        return max(message.sent_ns, (message.start_ns or message.sent_ns) + int(message.times_ns[-1]))

    # Setpoints

    def _step_fault(self, before: SentMessage | None, message: SentMessage, measured: Array | None) -> str:
        """Differences per tick: of positions, of these, of these again."""
        if before is None:
            return ""
        q, steps = message.positions[0], self._steps
        ticks = message.number - before.number if message.number and before.number else 1
        step = q - self._at(before, message.sent_ns)[0]
        if ticks == 1 and not before.is_path:
            self._steps = [step]
            for known in steps[:2]:
                self._steps.append(self._steps[-1] - known)
        else:
            self._steps = []
        faults = [self._past(0, step, max(ticks, 1)), *(self._past(i, d, 1) for i, d in enumerate(self._steps) if i)]
        fault = next((each for each in faults if each), "")
        late = message.sent_ns - before.sent_ns > GAP_TICKS * self._period_s * max(ticks, 1) * 1e9
        was_late, self._was_late = self._was_late, late
        if fault and (late or was_late or ticks < 1) and self._begins_anew(q, measured):
            self._steps = []
            return ""
        return fault

    def _past(self, order: int, change: Array, ticks: int) -> str:
        """What the (order + 1)-th difference of positions breaks."""
        allowed = self._limits[order] * self._period_s ** (order + 1) * ticks
        return self._named(order, np.abs(change), allowed + STEP_ROUNDING * 2**order, 1 / self._period_s ** (order + 1))

    def _begins_anew(self, q: Array, measured: Array | None) -> bool:
        return measured is not None and bool((np.abs(q - measured) <= self._tracking_error).all())

    # Paths

    def _path_fault(self, message: SentMessage) -> str:
        """Position, velocity, acceleration and jerk of the cubics, and whether the path ends at rest."""
        p, v = message.positions, message.velocities
        times_s = np.array(message.times_ns, np.int64) / 1e9
        spans = np.diff(times_s)[:, None]
        if (spans <= 0.0).any():
            return "times of points that do not rise"
        if v is not None and np.abs(v[-1]).max() > AT_REST:
            return f"a path that does not end at rest: {self.names[int(np.abs(v[-1]).argmax())]} moves at its end"
        if not len(spans):
            return ""
        if v is None:
            return self._named(0, np.abs(np.diff(p, axis=0) / spans).max(axis=0), self._limits[0] * (1 + SHARE))
        between, speeds = _hermite(p[:-1], v[:-1], p[1:], v[1:], spans, KNOT_SHARES)
        mean = np.diff(p, axis=0) / spans
        begin, end = (6 * mean - 4 * v[:-1] - 2 * v[1:]) / spans, (-6 * mean + 2 * v[:-1] + 4 * v[1:]) / spans
        found = (
            np.abs(speeds).max(axis=(0, 1)),
            np.maximum(np.abs(begin), np.abs(end)).max(axis=0),
            np.abs((end - begin) / spans).max(axis=0),
        )
        faults = [self._outside(between.reshape(-1, len(self.names)))]
        faults += [self._named(i, value, self._limits[i] * (1 + SHARE)) for i, value in enumerate(found)]
        return next((fault for fault in faults if fault), "")

    def _jump(self, before: SentMessage | None, message: SentMessage, measured: Array | None) -> str:
        """Whether a path goes on where the one before is when it takes over."""
        if before is None or len(message.positions) == 1:  # the soft entry: the controller goes there from where it is
            return ""
        if message.number and before.number and message.number - before.number > 1:  # what was not heard was not judged
            return ""
        at_ns = max(message.sent_ns, message.start_ns + int(message.times_ns[0]))
        (q0, v0), (q, v) = self._at(before, at_ns), self._at(message, at_ns)
        if self._begins_anew(q, measured) and max(np.abs(v).max(), np.abs(v0).max()) <= AT_REST:
            return ""
        # One tick more or less: the clocks of sender and controller are that near.
        return self._named(0, np.abs(q - q0) / self._period_s, 2 * self._limits[0]) or self._named(
            1, np.abs(v - v0) / self._period_s, 2 * self._limits[1]
        )

    def _at(self, message: SentMessage, ros_ns: int) -> tuple[Array, Array]:
        """Position and velocity, (joints,) each, at a time on the ROS clock."""
        p, v = message.positions, message.velocities
        if len(p) == 1:
            return p[0], np.zeros(len(self.names))
        t = (ros_ns - (message.start_ns or message.sent_ns)) / 1e9
        times_s = np.array(message.times_ns, np.int64) / 1e9
        i = int(np.searchsorted(times_s, t, side="right")) - 1
        if i < 0 or i + 1 >= len(times_s):
            return p[0 if i < 0 else -1], np.zeros(len(self.names))
        span = times_s[i + 1] - times_s[i]
        share = (t - times_s[i]) / span
        if v is None:
            return p[i] + share * (p[i + 1] - p[i]), (p[i + 1] - p[i]) / span
        return _hermite(p[i], v[i], p[i + 1], v[i + 1], span, share)

    # Words

    def _outside(self, q: Array) -> str:
        past = np.atleast_2d(np.maximum(self._lower - q, q - self._upper)).max(axis=0)
        i = int(past.argmax())
        return "" if past[i] <= STEP_ROUNDING else f"{self.names[i]} is sent {past[i]:.4g} beyond its range"

    def _named(self, order: int, value: Array, allowed: Array, scale: float = 1.0) -> str:
        past = value - allowed
        if past.max() <= 0.0:
            return ""
        i, what = int(past.argmax()), ("velocity", "acceleration", "jerk")[order]
        return f"{self.names[i]}: {what} {value[i] * scale:.4g} is sent, {allowed[i] * scale:.4g} is allowed"


def _hermite(p0: Array, v0: Array, p1: Array, v1: Array, span: Array, s: Array | float) -> tuple[Array, Array]:
    """Position and velocity of the cubic through two points and their velocities, at share s of its time, or several."""
    d = p1 - p0
    q = p0 + (3 * s * s - 2 * s**3) * d + span * ((s - 2 * s * s + s**3) * v0 + (s**3 - s * s) * v1)
    dq = (6 * s - 6 * s * s) * d / span + (1 - 4 * s + 3 * s * s) * v0 + (3 * s * s - 2 * s) * v1
    return q, dq
