"""Rule joint_state: the measured arm is known, fresh, finite and inside its limits.

age of the newest valid message <= timeout;  lower - tolerance <= q <= upper + tolerance;  at rest: |dq| <= rest_velocity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.command.joint_order import JointOrder
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, MeasuredState
from vla_ros.safety.verdict import Verdict

NAME = "joint_state"
LARGEST = 1e6


class JointStateReader:
    """Takes joint states into the filter's state. Args: limits: of the filter's joints."""

    def __init__(self, limits: Sequence[JointLimits]) -> None:
        self._names = tuple(joint.name for joint in limits)
        self._order = JointOrder(self._names)

    def update(
        self,
        measured: MeasuredState,
        receive_ns: int,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
        efforts: Sequence[float] = (),
    ) -> Verdict | None:
        """Take over a measured state; the message may name more joints, in any order.

        Args:
            measured: changed.
            receive_ns: reception on the monotonic clock.
            names, positions: rad or m.
            velocities: rad/s or m/s; empty: taken from the change of position.
            efforts: N m or N; of another length: not reported.

        Returns:
            why it was refused, None if it was not. A refused state leaves the last one to grow stale.
        """
        verdict = self._check(names, positions, velocities)
        if verdict is not None:
            measured.refused = f"; the last one was refused: {verdict.reason}"
            return verdict
        order = self._order.indices
        q = [round(positions[i] * NANO) for i in order]
        if velocities:
            measured.dq = [velocities[i] for i in order]
        elif measured.receive_ns is not None and receive_ns > measured.receive_ns:
            dt_ns = receive_ns - measured.receive_ns
            measured.dq = [(new - old) / dt_ns for new, old in zip(q, measured.q, strict=True)]
        measured.q, measured.receive_ns, measured.refused = q, receive_ns, ""
        measured.efforts = [efforts[i] for i in order] if len(efforts) == len(names) else []
        return None

    def _check(self, names: Sequence[str], positions: Sequence[float], velocities: Sequence[float]) -> Verdict | None:
        miscounted = self._order.find(tuple(names))
        if miscounted is not None:
            name, count = miscounted
            return Verdict(NAME, f"joint_states names {name} {count} times, not once", name)
        if len(positions) != len(names) or (len(velocities) not in (0, len(names))):
            return Verdict(
                NAME,
                f"joint_states has {len(positions)} positions, {len(velocities)} velocities for {len(names)} names",
            )
        for name, i in zip(self._names, self._order.indices, strict=True):
            value = positions[i]
            # Beyond LARGEST is no position of a joint; it is refused here so that every integer below stays small.
            if not -LARGEST <= value <= LARGEST or (velocities and not math.isfinite(velocities[i])):
                return Verdict(NAME, f"{name} measures {value}, not a position", name, value)
        return None


class JointStateFresh(TickRule):
    """Args: parameters: `measured.timeout_s`. limits, arm: not used."""

    NAME, CODE = NAME, RuleCode.JOINT_STATE

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._timeout_ns = round(parameters.measured.timeout_s * 1e9)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop when there is no state, or an old one."""
        measured = state.measured
        if measured.receive_ns is None:
            return Verdict(NAME, f"no joint state yet on joint_states{measured.refused}")
        age_ns = now_ns - measured.receive_ns
        if age_ns <= self._timeout_ns:
            return None
        return Verdict(
            NAME,
            f"no joint state for {age_ns / 1e9:.3f} s{measured.refused}",
            requested=age_ns / 1e9,
            limit=self._timeout_ns / 1e9,
        )


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
        if not state.measured.dq:
            return Verdict(NAME, "no velocity is known yet; two joint states are needed")
        for name, dq, rest in zip(self._names, state.measured.dq, self._rest_velocity, strict=True):
            if abs(dq) > rest:
                return Verdict(
                    NAME, f"{name} moves at {dq:.4f}; {rest:.4f} counts as rest: wait for it", name, dq, rest
                )
        return None
