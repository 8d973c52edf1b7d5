"""What the node safety_filter says of itself in the diagnostics: whether all is well, what is wrong, and its numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from rclpy.node import Node

from vla_ros.ros.arm_controllers import ArmControllers
from vla_ros.ros.controller_output import ControllerOutput
from vla_ros.ros.diagnostics import ERROR, OK, WARN
from vla_ros.ros.discovery import unmatched_publishers, unpublished
from vla_ros.ros.filter_inputs import TYPES, FilterInputs
from vla_ros.ros.polling import PacedLoop
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.command import authority, safety_monitor
from vla_ros.safety.command.authority import JOINT_STATES
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.states import AT_REST, LATCHED, State
from vla_ros.safety.unchecked import left_unchecked, not_checked
from vla_ros.time import Rate, Summary, Window

KEEP_AT_REST = (authority.NAME, safety_monitor.NAME)
"""Rules that keep an armed arm at rest because something is wrong with the graph, not because somebody wants it."""


class FilterReport:
    """Called once a second, for `Diagnostics`.

    preparations: calls that must come before, each in a tick of its own: together they take longer than a tick may.

    The node fills: decision, of the newest tick. rate, of the ticks. hops_s: from a setpoint's arrival to the output.
    busy_s: of a tick, by the clock. cpu_s: what the node's thread had of a core in it. sent_s: from its begin until its
    message has gone out. scheduling: of the node's thread.

    Args:
        node, safety_filter, log: of whom it tells; log: None: there is none.
        loop: counts ticks.
        output, inputs, controllers: of the node.
    """

    def __init__(
        self,
        node: Node,
        safety_filter: SafetyFilter | Recorder,
        log: AuditLog | None,
        loop: PacedLoop,
        output: ControllerOutput,
        inputs: FilterInputs,
        controllers: ArmControllers,
    ) -> None:
        period_s = safety_filter.parameters.period_s
        self._node, self._filter, self._log, self._loop = node, safety_filter, log, loop
        self._output, self._inputs, self._controllers = output, inputs, controllers
        self.rate = Rate(period_s, tolerance_s=period_s / 2)
        self.hops_s, self.busy_s, self.cpu_s, self.sent_s = (Window(2000) for _ in range(4))
        self.scheduling = ""
        self._summaries: dict[str, Summary] = {}
        self._unmatched: list[str] = []
        self._rate: dict[str, object] = {}
        windows = {
            "hops": self.hops_s.summary,
            "ages": inputs.frame_ages_s.summary,
            "busy": self.busy_s.summary,
            "cpu": self.cpu_s.summary,
            "sent": self.sent_s.summary,
            "errors": self.rate.errors,
        }
        self.preparations: list[Callable[[], None]] = [
            self._look_for_unmatched,
            self._note_rate,
            *(partial(self._summarise, name, summary) for name, summary in windows.items()),
        ]
        for prepare in self.preparations[1:]:
            prepare()
        self.decision: Decision | None = None
        self._late_reported = self._refused_reported = self._too_long_reported = 0

    def __call__(self) -> tuple[bytes, str, dict[str, object]]:
        """Return level, message and values of now."""
        now_ns = time.monotonic_ns()
        level, reason = self._judgement(now_ns)
        state = self._filter.state
        return level, f"{state.name}: {reason}" if reason else state.name, self._values(now_ns)

    def _judgement(self, now_ns: int) -> tuple[bytes, str]:
        """Return how it goes, and what is wrong; the weightiest comes last."""
        parameters, decision = self._filter.parameters, self.decision
        late, self._late_reported = self._loop.late - self._late_reported, self._loop.late
        state = self._filter.state
        verdict = decision.verdict if decision is not None else None
        reason = verdict.reason if verdict is not None else ""
        wrong = self._unmatched
        kept = state is State.HOLDING and verdict is not None and verdict.rule in KEEP_AT_REST
        level = WARN if kept else OK
        joint_state_age_s = self._filter.joint_state_age_s(now_ns)
        if state not in LATCHED and not joint_state_age_s <= parameters.measured.timeout_s:  # NaN: none yet
            level = WARN
            if state is State.DISARMED:  # in other states it is what the filter stops for
                missing = unpublished(self._node, JOINT_STATES, TYPES[JOINT_STATES])
                reason = missing or "no fresh, valid joint states on joint_states"
        if late > 0.01 / parameters.period_s:
            level, reason = WARN, f"{late} ticks late in the last second"
        refused, self._refused_reported = self._filter.rejected - self._refused_reported, self._filter.rejected
        if unchecked := left_unchecked(parameters):
            level = WARN
            reason = reason or f"not checked: {', '.join(unchecked)}; configure them or name them in `unchecked`"
        if refused and (rejection := self._filter.values.rejection) is not None:
            level, reason = (
                WARN,
                f"{refused} setpoints refused since the last report: {rejection.rule}: {rejection.reason}",
            )
        if state in AT_REST and (unread := self._output.unread()):
            level, reason = WARN, unread
        if wrong:
            level, reason = WARN, wrong[0]
        if (too_long := sum(each.refused for each in self._inputs.all)) > self._too_long_reported:
            self._too_long_reported = too_long
            level, reason = WARN, next(filter(None, (each.refusal() for each in self._inputs.all)), "")
            self._node.get_logger().warning(reason)
        if self._log is not None:
            if deleted := self._log.deletion_to_tell():
                self._node.get_logger().warning(deleted)
            if self._log.problem:
                level, reason = WARN, self._log.problem
        if state in LATCHED:
            level = ERROR
        return level, reason

    def _values(self, now_ns: int) -> dict[str, object]:
        hops, ages, busy, cpu, sent, errors = (
            self._summaries[name] for name in ("hops", "ages", "busy", "cpu", "sent", "errors")
        )
        log = self._log
        return {
            "state": self._filter.state.name,
            **self._rate,
            "period_error_p95_ms": errors.p95 * 1e3,
            "period_error_max_ms": errors.largest * 1e3,
            "ticks": self._loop.ticks,
            "late_ticks": self._loop.late,
            "skipped_ticks": self._loop.skipped,
            "stop_steps": self._output.stop_steps,
            "clock_steps": self._output.resets,
            "tick_busy_p50_ms": busy.p50 * 1e3,
            "tick_busy_p99_ms": busy.p99 * 1e3,
            "tick_cpu_p50_ms": cpu.p50 * 1e3,
            "tick_cpu_p99_ms": cpu.p99 * 1e3,
            "tick_sent_p50_ms": sent.p50 * 1e3,
            "tick_sent_p99_ms": sent.p99 * 1e3,
            "hop_p50_ms": hops.p50 * 1e3,
            "hop_p95_ms": hops.p95 * 1e3,
            "hop_p99_ms": hops.p99 * 1e3,
            "camera_to_command_p50_ms": ages.p50 * 1e3,
            "camera_to_command_p95_ms": ages.p95 * 1e3,
            "camera_to_command_p99_ms": ages.p99 * 1e3,
            "command_age_ms": self._filter.command_age_s(now_ns) * 1e3,
            "joint_state_age_ms": self._filter.joint_state_age_s(now_ns) * 1e3,
            "joint_state_clock_offset_ms": self._clock_offsets(now_ns),
            "joint_states_refused": self._filter.values.measured.refusals,
            "accepted": self._filter.accepted,
            "rejected": self._filter.rejected,
            "missing": self._filter.missing,
            "too_long": self._too_long_reported,
            "limited": self._filter.limited,
            "scheduling": self.scheduling,
            "audit_lost": log.lost if log is not None else "no audit log",
            "audit_deleted_files": log.deleted_files if log is not None else 0,
            "audit_deleted_latches": log.deleted_latches if log is not None else 0,
            "not_checked": ", ".join(not_checked(self._filter.parameters)),
            **self._controllers.report(),
            "without_body": ", ".join(self._filter.joints_without_geometry),
        }

    def _summarise(self, name: str, summary: Callable[[], Summary]) -> None:
        self._summaries[name] = summary()

    def _note_rate(self) -> None:
        self._rate = self.rate.values()

    def _look_for_unmatched(self) -> None:
        self._unmatched = unmatched_publishers(self._node, TYPES)

    def _clock_offsets(self, now_ns: int) -> str:
        """By how much this node's clock is ahead of the clocks that stamp the joint states, ms, one for each driver."""
        ahead_ns = self._node.get_clock().now().nanoseconds - now_ns
        clocks = (stream.clock for stream in self._filter.values.measured.streams)
        return ", ".join(f"{(ahead_ns + clock.offset_ns) / 1e6:.1f}" for clock in clocks if clock.stamp_ns is not None)
