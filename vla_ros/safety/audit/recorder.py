"""A filter whose calls and decisions are logged. It answers what the filter answers, whatever becomes of the log."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from vla_ros.safety.audit import cut
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.record import Kind
from vla_ros.safety.audit.snapshot import configuration_of, snapshot_of
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.verdict import Verdict


def verdict_values(verdict: Verdict | None) -> list[Any] | None:
    """Return a verdict as plain values."""
    if verdict is None:
        return None
    return [verdict.rule, verdict.reason, verdict.joint, verdict.requested, verdict.limit, verdict.granted]


def decision_values(decision: Decision) -> list[Any]:
    """Return a decision as plain values: state, positions, velocities, source, verdict."""
    return [
        int(decision.state),
        decision.positions,
        decision.velocities,
        decision.source,
        verdict_values(decision.verdict),
    ]


def plain_obstacle(o: Obstacle) -> list[Any]:
    """Return an obstacle as plain values, its fields in their order."""
    velocity = None if o.velocity is None else list(o.velocity)
    return [o.id, o.frame, o.shape, list(o.size), list(o.xyz), list(o.quaternion), o.kind, velocity]


CALLS = frozenset(
    (
        *(
            "estop_signal",
            "heartbeat",
            "deadman",
            "enabling",
            "reduced",
            "monitor",
            "publishers",
            "fault",
            "speed_scale",
        ),
        *("arm", "disarm", "estop", "reset", "release_lost_estop", "miss", "retract", "clock_was_set"),
        *("controller_state", "controller_problem", "speed_scaling"),
    )
)
"""Calls that a record of the kind CALL may hold."""


class Recorder:
    """The same calls as `SafetyFilter`; what is not a call is the filter's own.

    Args:
        safety_filter: decides.
        log: gets all of it.
    """

    def __init__(self, safety_filter: SafetyFilter, log: AuditLog) -> None:
        self._filter = safety_filter
        self.log = log
        self._configuration = configuration_of(safety_filter)
        # Names come with every message and hardly ever change: a repeat is logged as None.
        self._names: dict[Kind, Sequence[str]] = {}
        self._room = cut.ROOM

    def __getattr__(self, name: str) -> Any:
        return getattr(self._filter, name)

    def command(self, setpoint: Setpoint) -> Verdict | None:
        s = setpoint
        before = self._before(s.channel, s.source, self._if_new(Kind.COMMAND, s.joint_names), s.positions)
        verdict = self._filter.command(setpoint)
        if self._is_cut("command", before, [setpoint], verdict_values(verdict)):
            return verdict
        names = self._new(Kind.COMMAND, s.joint_names)
        values = [s.channel, s.source, s.seq, s.stamp_ns, s.age_ns, s.receive_ns, names, list(s.positions)]
        self.log.add(Kind.COMMAND, [values, verdict_values(verdict)])
        return verdict

    def joint_state(
        self,
        receive_ns: int,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
        efforts: Sequence[float] = (),
        stamp_ns: int | None = None,
        publisher: str = "",
    ) -> Verdict | None:
        before = self._before(self._if_new(Kind.JOINT_STATE, names), positions, velocities, efforts)
        verdict = self._filter.joint_state(receive_ns, names, positions, velocities, efforts, stamp_ns, publisher)
        arguments = [receive_ns, names, positions, velocities, efforts, stamp_ns, publisher]
        if self._is_cut("joint_state", before, arguments, verdict_values(verdict)):
            return verdict
        logged_names = self._new(Kind.JOINT_STATE, names)
        measured = [list(values) for values in (positions, velocities, efforts)]
        values = [receive_ns, logged_names, *measured, stamp_ns, publisher]
        self.log.add(Kind.JOINT_STATE, [values, verdict_values(verdict)])
        return verdict

    def obstacles(self, receive_ns: int, obstacles: Sequence[Obstacle]) -> Verdict | None:
        before = self._before(obstacles)
        verdict = self._filter.obstacles(receive_ns, obstacles)
        if self._is_cut("obstacles", before, [receive_ns, obstacles], verdict_values(verdict)):
            return verdict
        rows = [plain_obstacle(obstacle) for obstacle in obstacles]
        self.log.add(Kind.OBSTACLES, [[receive_ns, rows], verdict_values(verdict)])
        return verdict

    def estop_signal(self, pressed: bool, button: str = "") -> None:
        self._call("estop_signal", pressed, button)

    def heartbeat(self, receive_ns: int) -> None:
        self._call("heartbeat", receive_ns)

    def monitor(self, receive_ns: int, violation: str, hears_sent: bool, hears_measured: bool, limits: str) -> None:
        self._call("monitor", receive_ns, violation, hears_sent, hears_measured, limits)

    def deadman(self, receive_ns: int, pressed: bool) -> None:
        self._call("deadman", receive_ns, pressed)

    def enabling(self, receive_ns: int, position: int) -> None:
        self._call("enabling", receive_ns, position)

    def reduced(self, receive_ns: int, asked_for: bool) -> None:
        self._call("reduced", receive_ns, asked_for)

    def publishers(self, channel: str, names: Sequence[str]) -> None:
        self._call("publishers", channel, list(names))

    def controller_state(
        self,
        receive_ns: int,
        controller: str,
        names: Sequence[str],
        reference: Sequence[float],
        error: Sequence[float],
        speed_scaling: float,
    ) -> None:
        arguments = list(names), list(reference), list(error), speed_scaling
        self._call("controller_state", receive_ns, controller, *arguments)

    def speed_scaling(self, receive_ns: int, told: float) -> None:
        self._call("speed_scaling", receive_ns, told)

    def controller_problem(self, reason: str) -> None:
        self._call("controller_problem", reason)

    def fault(self, reason: str) -> None:
        self._call("fault", reason)

    def speed_scale(self, scale: float) -> tuple[bool, str]:
        done: tuple[bool, str] = self._call("speed_scale", scale)
        return done

    def arm(self, now_ns: int) -> tuple[bool, str]:
        done: tuple[bool, str] = self._call("arm", now_ns)
        return done

    def disarm(self) -> tuple[bool, str]:
        done: tuple[bool, str] = self._call("disarm")
        return done

    def estop(self, by: str) -> tuple[bool, str]:
        done: tuple[bool, str] = self._call("estop", by)
        return done

    def reset(self, now_ns: int) -> tuple[bool, str]:
        done: tuple[bool, str] = self._call("reset", now_ns)
        return done

    def release_lost_estop(self) -> tuple[bool, str]:
        done: tuple[bool, str] = self._call("release_lost_estop")
        return done

    def miss(self, now_ns: int, count: int) -> list[tuple[float, ...]]:
        rows: list[tuple[float, ...]] = self._call("miss", now_ns, count)
        return rows

    def retract(self) -> tuple[float, ...] | None:
        positions: tuple[float, ...] | None = self._call("retract")
        return positions

    def clock_was_set(self) -> None:
        self._call("clock_was_set")

    def tick(self, now_ns: int) -> Decision:
        self._room = min(cut.ROOM, self._room + cut.ROOM_PER_TICK)
        decision = self._filter.tick(now_ns)
        self.log.add(Kind.TICK, [now_ns, decision_values(decision)])
        if self.log.flush(self._snapshot):
            self._names.clear()
        return decision

    def _snapshot(self) -> dict[str, Any]:
        return snapshot_of(self._filter, self._configuration)

    def _call(self, name: str, *arguments: Any) -> Any:
        before = self._before(arguments)
        answer = getattr(self._filter, name)(*arguments)
        if self._is_cut(name, before, list(arguments), answer):
            return answer
        self.log.add(Kind.CALL, [name, list(arguments), answer])
        return answer

    def _new(self, kind: Kind, names: Sequence[str]) -> Sequence[str] | None:
        """The names, or None when they are those of the record before."""
        if self._names.get(kind) == names:
            return None
        self._names[kind] = names = list(names)
        return names

    def _if_new(self, kind: Kind, names: Sequence[str]) -> Sequence[str]:
        """The names, or none when they are those of the record before."""
        return () if self._names.get(kind) == names else names

    def _before(self, *arguments: Any) -> dict[str, Any] | None:
        """The state before a message that is too long to be recorded whole; None: there is room for it."""
        size = sum(map(cut.size_of, arguments))
        if size > cut.LONG and size > self._room:
            with contextlib.suppress(Exception):  # no fault of the log may reach the filter: the record is whole then
                return cut.copied(self._filter.values)
        self._room = max(0, self._room - size)
        return None

    def _is_cut(self, name: str, before: dict[str, Any] | None, arguments: list[Any], answer: Any) -> bool:
        """Record the beginning of a long message and what it changed. False: it is to be recorded whole."""
        if before is None:
            return False
        with contextlib.suppress(Exception):
            changes = cut.changes(before, self._filter.values)
            if not cut.touches_output(changes):
                self.log.add(Kind.CUT, [name, cut.shortened(arguments), cut.size_of(arguments), changes, answer])
                return True
        return False
