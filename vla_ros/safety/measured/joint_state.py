"""Rule joint_state: the measured arm is known, fresh, finite and inside its limits.

For each joint: age of its value <= timeout;  lower - tolerance <= q <= upper + tolerance;  at rest: |dq| <= rest_velocity.
The arm is armed only after joint states without a contradiction over `measured.settle_s`. `joint_state_reader` says which
messages count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.measured.joint_state_reader import JUMPS
from vla_ros.safety.measured.measured_state import MeasuredState
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "joint_state"


class JointStateFresh(TickRule):
    """Args: parameters: `measured.timeout_s`. limits: of the joints. arm: not used."""

    NAME, CODE = NAME, RuleCode.JOINT_STATE

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._names = tuple(joint.name for joint in limits)
        self._timeout_ns = round(parameters.measured.timeout_s * 1e9)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop when a joint has no value, or an old one."""
        measured = state.measured
        if measured.receive_ns is None:
            return self._never_heard(measured)
        age_ns = now_ns - measured.receive_ns
        if age_ns <= self._timeout_ns:
            return None
        stale = [i for i, at in enumerate(measured.received_ns) if at is not None and now_ns - at > self._timeout_ns]
        of = "" if len(stale) == len(self._names) else f" of {', '.join(self._names[i] for i in stale)}"
        return Verdict(
            NAME,
            f"no joint state{of} for {age_ns / 1e9:.3f} s{_refusal(measured, stale[:1])}",
            requested=age_ns / 1e9,
            limit=self._timeout_ns / 1e9,
        )

    def _never_heard(self, measured: MeasuredState) -> Verdict:
        missing = [i for i, at in enumerate(measured.received_ns) if at is None]
        of = f" of {', '.join(self._names[i] for i in missing)}" if len(missing) < len(measured.received_ns) else ""
        return Verdict(NAME, f"no joint state yet{of} on joint_states{_refusal(measured, missing[:1])}")


def _refusal(measured: MeasuredState, joints: Sequence[int]) -> str:
    """Return why the newest message about one of the joints was refused, as the end of a sentence; empty: it was not."""
    streams = (stream for stream in measured.streams if any(i in stream.joints for i in joints))
    return next((stream.refused for stream in streams if stream.refused), measured.refused)


class JointStateConsistent(TickRule):
    """Args: parameters: `measured.settle_s`. limits, arm: not used."""

    NAME, CODE, ACTION = NAME, RuleCode.JOINT_STATE, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._settle_ns = round(parameters.measured.settle_s * 1e9)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when joint states were refused again and again because no joint can make such steps."""
        jumps_ns = state.measured.jumps_ns
        if len(jumps_ns) < JUMPS or now_ns - jumps_ns[0] > self._settle_ns:
            return None
        return Verdict(NAME, f"joint states contradict each other: {state.measured.objection}")


class JointStateInRange(TickRule):
    """Args: parameters: `measured.position_tolerance`. limits: of the joints. arm: not used."""

    NAME, CODE, ACTION = NAME, RuleCode.JOINT_STATE, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._names = tuple(joint.name for joint in limits)
        self._ranges = tuple(
            (round((joint.lower - tolerance) * NANO), round((joint.upper + tolerance) * NANO))
            for joint, tolerance in zip(limits, parameters.measured.position_tolerance, strict=True)
        )

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when a measured joint is outside its position limit by more than the tolerance."""
        for name, q, (lower, upper) in zip(self._names, state.measured.q, self._ranges, strict=True):
            if not lower <= q <= upper:
                limit = (upper if q > upper else lower) / NANO
                return Verdict(
                    NAME,
                    f"{name} measures {q / NANO:.4f}, outside {lower / NANO:.4f} .. {upper / NANO:.4f}; "
                    "bring it back by the arm's own controls",
                    name,
                    q / NANO,
                    limit,
                )
        return None


class JointStateAtRest(TickRule):
    """Asked before the arm is taken over: when it is armed, and after a stall.

    Args: parameters: `measured.rest_velocity`. limits: of the joints. arm: not used.
    """

    NAME, CODE = NAME, RuleCode.JOINT_STATE

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._names = tuple(joint.name for joint in limits)
        self._rest_velocity = tuple(parameters.measured.rest_velocity)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Object to a measured joint that is not at rest, or not known to be."""
        measured = state.measured
        for i, (name, rest) in enumerate(zip(self._names, self._rest_velocity, strict=True)):
            dq = measured.dq[i] if measured.velocity_reported[i] else mean_velocity(measured, i)
            if math.isnan(dq):
                return Verdict(NAME, f"no velocity of {name} is known yet; joint states over 0.05 s are needed", name)
            if abs(dq) > rest:
                return Verdict(
                    NAME, f"{name} moves at {dq:.4f}; {rest:.4f} counts as rest: wait for it", name, dq, rest
                )
        return None


class JointStateSettled(TickRule):
    """Asked when the arm is armed.

    Args: parameters: `measured.settle_s`. limits, arm: not used.
    """

    NAME, CODE = NAME, RuleCode.JOINT_STATE

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._settle_ns = round(parameters.measured.settle_s * 1e9)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Object when the joint states have not been without a contradiction for long enough."""
        measured = state.measured
        since_ns = [
            now_ns if stream is None or stream.consistent_ns is None else stream.consistent_ns
            for stream in map(measured.stream_of, range(len(measured.q)))
        ]
        settled_ns = now_ns - max(since_ns, default=now_ns)
        if settled_ns >= self._settle_ns:
            return None
        because = f"; before that: {measured.objection}" if measured.objection else ""
        return Verdict(
            NAME,
            f"joint states are consistent for {settled_ns / 1e9:.2f} s; {self._settle_ns / 1e9:g} s are needed{because}",
            requested=settled_ns / 1e9,
            limit=self._settle_ns / 1e9,
        )


def mean_velocity(measured: MeasuredState, joint: int) -> float:
    """Return the mean velocity of a joint over the last 0.2 s, rad/s or m/s; NaN: it was not heard for long enough.

    An encoder that toggles by its smallest step does not move.
    """
    stream = measured.stream_of(joint)
    if math.isnan(measured.dq[joint]) or stream is None or stream.clock.stamp_ns is None:
        return math.nan
    stamp_ns, before = stream.history[0]
    step = measured.q[joint] - before[stream.joints.index(joint)]
    moved = max(0, abs(step) - measured.resolutions[joint])
    return math.copysign(moved / (stream.clock.stamp_ns - stamp_ns), step)
