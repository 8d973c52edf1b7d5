"""Takes joint states into the filter's state. Every message is judged; several drivers may report different joints.

A message is refused as a whole, so that what is known of the arm is never half of it. A refused message leaves the values of
before to grow stale. Refused are: lists of wrong lengths, a joint named twice, a position that is none, stamps that do not
run (`stamp_clock`), a joint that another publisher reports (`joint_source`), and a step that no joint can make:

    |q - q before| <= 1.5 * (velocity limit of the URDF) * (time between the stamps + 20 ms)

A continuous joint that its driver wraps has not moved by a turn: see `continuous_joint`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vla_ros.safety.joint.continuous_joint import ContinuousJoints
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.measured.measured_state import JointStateStream, MeasuredState
from vla_ros.safety.measured.stamp_clock import REPEATED, StampClock
from vla_ros.safety.verdict import Verdict

_RULE = "joint_state"
LARGEST = 1e6
STEP_PERCENT = 150
"""Of the URDF's velocity limit: a hand that guides the arm may be a little faster than its motors."""
JITTER_NS = 20_000_000
"""A driver stamps when it publishes, and has measured before: so much does the time between two stamps err."""
HISTORY_STEP_NS, HISTORY_NS = 10_000_000, 200_000_000
VELOCITY_WINDOW_NS = 50_000_000
"""A velocity that the driver does not report is the change of position over this time or longer."""
COARSEST = 6_200_000
"""No encoder is taken for coarser than this, nanoradian or nanometre: ten bits a turn."""
JUMPS = 3
"""So many impossible steps within the settling time latch."""
PROBATION = 5
"""Timeouts that a clock which failed must run: at four fifths of its speed or less it fails again before."""
UNSTAMPED_NS = 10**18
"""From reception to the stamp of a joint state that is handed over without one."""
MOST_STREAMS = 8


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the filter's joints stand in a message: indices of joints, their places; twice: a joint that is named twice."""

    joints: list[int]
    places: list[int]
    twice: str = ""


class JointStateReader:
    """Judges and merges.

    Args:
        limits: of the joints; their names and velocities are used.
        timeout_s: a joint that is silent for longer is no longer its publisher's.
        settle_s: a clock that failed must run for as long, or longer.
        clock_drift: see `StampClock`.
    """

    def __init__(self, limits: Sequence[JointLimits], timeout_s: float, settle_s: float, clock_drift: float) -> None:
        self._names = tuple(joint.name for joint in limits)
        self._largest_steps = [
            round(max(joint.hard_velocity, joint.velocity) * NANO) * STEP_PERCENT for joint in limits
        ]
        self._continuous = ContinuousJoints(limits)
        self._timeout_ns = round(timeout_s * 1e9)
        probation_ns = max(round(settle_s * 1e9), PROBATION * self._timeout_ns)
        self._clock = StampClock(self._timeout_ns, clock_drift, probation_ns)
        self._placed: tuple[tuple[str, ...], _Places] | None = None  # of the names of the newest message

    def update(
        self,
        measured: MeasuredState,
        receive_ns: int,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
        efforts: Sequence[float] = (),
        stamp_ns: int | None = None,
        publisher: str = "",
    ) -> Verdict | None:
        """Take over what one message says of the filter's joints; it may name others, in any order, and not all.

        Args:
            measured: changed.
            receive_ns: reception on the monotonic clock.
            names, positions: rad or m.
            velocities: rad/s or m/s; empty or not finite: taken from the change of position.
            efforts: N m or N; of another length: not reported.
            stamp_ns: `header.stamp` on the sender's clock; None: what was measured is handed over at once, without one.
            publisher: who sent it.

        Returns:
            why it was refused, None if it was not.
        """
        found = self._find(names)
        if found.twice:
            return _refused(measured, None, Verdict(_RULE, f"joint_states names {found.twice} twice", found.twice))
        if not found.joints:
            if not measured.q:
                measured.refused = (
                    f"; the last one names {', '.join(f'{name:.40}' for name in names[:3]) or 'no joint'}"
                )
            return None
        if len(positions) != len(names) or (len(velocities) not in (0, len(names))):
            counts = f"{len(positions)} positions, {len(velocities)} velocities for {len(names)} names"
            return _refused(measured, None, Verdict(_RULE, f"joint_states has {counts}"))
        if len(measured.q) != len(self._names):
            _begin(measured, len(self._names))
        rival = self._rival(measured, receive_ns, publisher, found.joints)
        if rival is not None:
            return rival
        stream = _stream(measured, publisher, found.joints)
        if stream.accepted_ns is not None and receive_ns - stream.accepted_ns > self._timeout_ns:
            stream.consistent_ns = None
            stream.history.clear()
        stamp_ns = receive_ns + UNSTAMPED_NS if stamp_ns is None else stamp_ns
        q, verdict = self._positions(measured, found, positions)
        fault = self._clock.fault(stream.clock, receive_ns, stamp_ns)
        if verdict is None and fault:
            verdict = self._stale(measured, stream, q, fault)
        elif verdict is None:
            verdict = self._jump(measured, stream, receive_ns, stamp_ns, q)
        if verdict is not None:
            return _refused(measured, stream, verdict)
        self._remember(stream, stamp_ns, q)
        self._take(measured, stream, found, q, velocities, efforts if len(efforts) == len(names) else ())
        _accepted(measured, stream, receive_ns, StampClock.lateness_ns(stream.clock))
        return None

    def _find(self, names: Sequence[str]) -> _Places:
        """Find the joints in the names of a message; the same names cost one comparison."""
        key = tuple(names)
        if self._placed is not None and self._placed[0] == key:
            return self._placed[1]
        own = [(i, name) for i, name in enumerate(self._names) if name in key]
        twice = next((name for _, name in own if key.count(name) > 1), "")
        found = _Places([i for i, _ in own], [key.index(name) for _, name in own], twice)
        self._placed = key, found
        return found

    def _rival(self, measured: MeasuredState, receive_ns: int, publisher: str, joints: Sequence[int]) -> Verdict | None:
        """Object when a joint belongs to another publisher that is not silent; else the joints are this one's."""
        for i in joints:
            owner = measured.sources[i]
            if owner is not None and owner != publisher and receive_ns - measured.heard_ns[i] <= self._timeout_ns:
                name = self._names[i]
                measured.rival, measured.rival_ns = [name, owner, publisher], receive_ns
                for stream in measured.streams:
                    stream.consistent_ns = None
                reason = f"{name} is reported by two publishers, {owner or 'one'} and {publisher or 'one'}"
                return _refused(measured, None, Verdict("joint_source", reason, name))
        for i in joints:
            if measured.sources[i] != publisher:
                measured.sources[i], measured.stamps_ns[i] = publisher, None
            measured.heard_ns[i] = receive_ns
        return None

    def _positions(
        self, measured: MeasuredState, found: _Places, positions: Sequence[float]
    ) -> tuple[list[int], Verdict | None]:
        """Return the positions in nanoradian or nanometre, or what is wrong with one."""
        q = []
        for i, k in zip(found.joints, found.places, strict=True):
            value = positions[k]
            # Beyond LARGEST is no position of a joint; it is refused here so that every integer below stays small.
            if not -LARGEST <= value <= LARGEST:
                name = self._names[i]
                return [], Verdict(_RULE, f"{name}'s position is {value}, which is none", name, value)
            at = round(value * NANO)
            if i in self._continuous.indices:
                known = measured.received_ns[i] is not None
                at = self._continuous.nearest(at, measured.q[i]) if known else self._continuous.in_range(i, at)
            q.append(at)
        return q, None

    def _stale(self, measured: MeasuredState, stream: JointStateStream, q: list[int], fault: str) -> Verdict:
        """The stamp of a message is not right. Two messages with one stamp and other positions contradict each other."""
        if fault == REPEATED:
            pairs = zip(stream.joints, q, strict=True)
            differs = next((i for i, at in pairs if measured.received_ns[i] is not None and at != measured.q[i]), None)
            if differs is None:
                return Verdict(_RULE, f"joint_states: {fault}")
            name = self._names[differs]
            fault = f"{name} has two positions with one header.stamp"
        else:
            for i in stream.joints:
                measured.stamps_ns[i] = None
        stream.consistent_ns = None
        stream.history.clear()
        return Verdict(_RULE, f"joint_states: {fault}")

    def _jump(
        self, measured: MeasuredState, stream: JointStateStream, receive_ns: int, stamp_ns: int, q: Sequence[int]
    ) -> Verdict | None:
        """Object to a step that a joint cannot have made since its last value."""
        for i, at in zip(stream.joints, q, strict=True):
            last_ns, before_ns = measured.received_ns[i], measured.stamps_ns[i]
            if last_ns is None:
                continue
            step = abs(at - measured.q[i])
            dt_ns = receive_ns - last_ns if before_ns is None else max(0, stamp_ns - before_ns)
            if step * NANO * 100 <= self._largest_steps[i] * (dt_ns + JITTER_NS):
                continue
            name, speed = self._names[i], self._largest_steps[i] / STEP_PERCENT / NANO
            stream.consistent_ns = None
            measured.jumps_ns = [*measured.jumps_ns[1 - JUMPS :], receive_ns]
            reason = (
                f"{name} jumps from {measured.q[i] / NANO:.4f} to {at / NANO:.4f} in {dt_ns / 1e9:.3f} s; its limit is "
                f"{speed:g} per second: is there a second source, or does the driver report values that it has not measured?"
            )
            return Verdict(_RULE, reason, name, at / NANO, measured.q[i] / NANO)
        return None

    def _remember(self, stream: JointStateStream, stamp_ns: int, q: list[int]) -> None:
        history = stream.history
        if not history or stamp_ns - history[-1][0] >= HISTORY_STEP_NS:
            history.append((stamp_ns, q))
            while len(history) > 2 and stamp_ns - history[1][0] >= HISTORY_NS:
                del history[0]

    def _take(
        self,
        measured: MeasuredState,
        stream: JointStateStream,
        found: _Places,
        q: Sequence[int],
        velocities: Sequence[float],
        efforts: Sequence[float],
    ) -> None:
        stamp_ns = stream.clock.stamp_ns
        for j, (i, k) in enumerate(zip(found.joints, found.places, strict=True)):
            step = abs(q[j] - measured.q[i])
            if 0 < step < measured.resolutions[i] and measured.received_ns[i] is not None:
                measured.resolutions[i] = step
            dq = velocities[k] if velocities else math.nan
            measured.velocity_reported[i] = math.isfinite(dq)
            measured.dq[i] = dq if math.isfinite(dq) else _derived_velocity(stream, j, q[j])
            measured.q[i] = q[j]
            measured.stamps_ns[i] = stamp_ns
            measured.efforts[i] = efforts[k] if efforts else math.nan


def _begin(measured: MeasuredState, count: int) -> None:
    """Make room for the joints, of which nothing is known yet."""
    measured.q, measured.dq, measured.efforts = [0] * count, [math.nan] * count, [math.nan] * count
    measured.velocity_reported, measured.received_ns, measured.stamps_ns = (
        [False] * count,
        [None] * count,
        [None] * count,
    )
    measured.sources, measured.heard_ns, measured.resolutions = [None] * count, [0] * count, [COARSEST] * count


def _stream(measured: MeasuredState, publisher: str, joints: list[int]) -> JointStateStream:
    """Return the stream of a message, a new one in the place of the one that has been silent for longest."""
    for stream in measured.streams:
        if stream.publisher == publisher and stream.joints == joints:
            return stream
    new = JointStateStream(publisher, joints)
    measured.streams = [*measured.streams, new]
    if len(measured.streams) > MOST_STREAMS:
        measured.streams.remove(min(measured.streams[:-1], key=lambda stream: stream.clock.receive_ns))
    return new


def _refused(measured: MeasuredState, stream: JointStateStream | None, verdict: Verdict) -> Verdict:
    measured.refusals += 1
    text = f"; the last one was refused: {verdict.reason}"
    if stream is None:
        measured.refused = text
    else:
        stream.refused = text
    if not verdict.reason.endswith(REPEATED):
        measured.objection = verdict.reason
        if stream is not None:
            stream.consistent_ns = None
    return verdict


def _accepted(measured: MeasuredState, stream: JointStateStream, receive_ns: int, late_ns: int) -> None:
    stream.accepted_ns = receive_ns
    stream.refused = measured.refused = ""
    if stream.consistent_ns is None:
        stream.consistent_ns = receive_ns
    for i in stream.joints:
        measured.received_ns[i] = receive_ns - late_ns
    received = [at for at in measured.received_ns if at is not None]
    measured.receive_ns = min(received) if len(received) == len(measured.q) else None


def _derived_velocity(stream: JointStateStream, j: int, q: int) -> float:
    """Return the change of position of a stream's joint number j, rad/s or m/s; NaN: it was not heard for long enough."""
    now_ns = stream.clock.stamp_ns or 0
    for stamp_ns, before in reversed(stream.history):
        if now_ns - stamp_ns >= VELOCITY_WINDOW_NS:
            return (q - before[j]) / (now_ns - stamp_ns)
    return math.nan
