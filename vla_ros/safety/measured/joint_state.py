"""Rule joint_state: the measured arm is known, fresh, finite and inside its limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.safety_parameters import Measured
from vla_ros.safety.verdict import Verdict

NAME = "joint_state"
LARGEST = 1e6


class JointState:
    """The newest measured state.

    q: nanoradian or nanometre per joint, empty before the first. receive_ns: when it arrived, None before the first.
    efforts: N m or N per joint; empty: not reported.

    Args:
        limits: of the filter's joints.
        measured: tolerances.
    """

    def __init__(self, limits: Sequence[JointLimits], measured: Measured) -> None:
        self.q: list[int] = []
        self.receive_ns: int | None = None
        self.efforts: list[float] = []
        self._names = tuple(joint.name for joint in limits)
        self._timeout_ns = round(measured.timeout_s * 1e9)
        self._rest_velocity = tuple(measured.rest_velocity)
        self._ranges = tuple(
            (round((joint.lower - tolerance) * NANO), round((joint.upper + tolerance) * NANO))
            for joint, tolerance in zip(limits, measured.position_tolerance, strict=True)
        )
        self._dq: list[float] = []
        self._seen: tuple[str, ...] = ()
        self._order: list[int] = []
        self._refused = ""

    def update(
        self,
        receive_ns: int,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
        efforts: Sequence[float] = (),
    ) -> Verdict | None:
        """Take over a measured state; the message may name more joints, in any order.

        Args:
            receive_ns: reception on the monotonic clock.
            names, positions: rad or m.
            velocities: rad/s or m/s; empty: taken from the change of position.
            efforts: N m or N; of another length: not reported.

        Returns:
            why it was refused, None if it was not. A refused state leaves the last one to grow stale.
        """
        verdict = self._check(names, positions, velocities)
        if verdict is not None:
            self._refused = f"; the last one was refused: {verdict.reason}"
            return verdict
        q = [round(positions[i] * NANO) for i in self._order]
        if velocities:
            self._dq = [velocities[i] for i in self._order]
        elif self.receive_ns is not None and receive_ns > self.receive_ns:
            dt_ns = receive_ns - self.receive_ns
            self._dq = [(new - old) / dt_ns for new, old in zip(q, self.q, strict=True)]
        self.q, self.receive_ns, self._refused = q, receive_ns, ""
        self.efforts = [efforts[i] for i in self._order] if len(efforts) == len(names) else []
        return None

    def measured(self) -> tuple[list[float], list[float]]:
        """Position and velocity in rad or m and per s; velocity 0 as long as none is known."""
        return [q / NANO for q in self.q], self._dq or [0.0] * len(self.q)

    def stale(self, now_ns: int) -> Verdict | None:
        """Stop when there is no state, or an old one."""
        if self.receive_ns is None:
            return Verdict(NAME, f"no joint state yet on joint_states{self._refused}")
        age_ns = now_ns - self.receive_ns
        if age_ns <= self._timeout_ns:
            return None
        return Verdict(
            NAME,
            f"no joint state for {age_ns / 1e9:.3f} s{self._refused}",
            requested=age_ns / 1e9,
            limit=self._timeout_ns / 1e9,
        )

    def outside(self) -> Verdict | None:
        """A measured joint outside its position limit by more than the tolerance."""
        for name, q, (lower, upper) in zip(self._names, self.q, self._ranges, strict=True):
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

    def moving(self) -> Verdict | None:
        """A measured joint that is not at rest, or not known to be."""
        if not self._dq:
            return Verdict(NAME, "no velocity is known yet; two joint states are needed")
        for name, dq, rest in zip(self._names, self._dq, self._rest_velocity, strict=True):
            if abs(dq) > rest:
                return Verdict(
                    NAME, f"{name} moves at {dq:.4f}; {rest:.4f} counts as rest: wait for it", name, dq, rest
                )
        return None

    def _check(self, names: Sequence[str], positions: Sequence[float], velocities: Sequence[float]) -> Verdict | None:
        names = tuple(names)
        if names != self._seen:
            for name in self._names:
                if names.count(name) != 1:
                    return Verdict(NAME, f"joint_states names {name} {names.count(name)} times, not once", name)
            self._order = [names.index(name) for name in self._names]
            self._seen = names
        if len(positions) != len(names) or (len(velocities) not in (0, len(names))):
            return Verdict(
                NAME,
                f"joint_states has {len(positions)} positions, {len(velocities)} velocities for {len(names)} names",
            )
        for name, i in zip(self._names, self._order, strict=True):
            value = positions[i]
            # Beyond LARGEST is no position of a joint; it is refused here so that every integer below stays small.
            if not -LARGEST <= value <= LARGEST or (velocities and not math.isfinite(velocities[i])):
                return Verdict(NAME, f"{name} measures {value}, not a position", name, value)
        return None
