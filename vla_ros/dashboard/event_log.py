"""What happened lately, in words; and how often each rule of the safety filter acted, and for how long."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from vla_ros.dashboard.observations import FilterStatus, NodeReport, PlanSummary
from vla_ros.language.telling import is_told

MAX_EVENTS = 60
REPEAT_S = 2.0  # a rule that acts again within this time continues the same intervention
UNITS = {"position_limit": "", "velocity_limit": "/s", "acceleration_limit": "/s²", "jerk_limit": "/s³"}
VERBS = {"velocity_limit": "slowed", "acceleration_limit": "eased", "jerk_limit": "smoothed"}
STATE_TEXTS = {
    "DISARMED": "disarmed: nothing passes",
    "HOLDING": "armed: holding still",
    "STOPPING": "braking to rest",
    "DISARMING": "braking to rest, then disarmed",
    "STALLED": "nothing is sent until the arm is at rest",
    "ENTERING": "armed: the controller is led to where the arm is",
    "PROTECTIVE_STOP": "protective stop",
    "ESTOP": "emergency stop",
}
BRAKING = ("STOPPING", "DISARMING", "STALLED")
STATE_LEVELS = dict.fromkeys(BRAKING, "warning") | {"PROTECTIVE_STOP": "alarm", "ESTOP": "alarm"}
LEVELS = ("info", "warning", "alarm")


@dataclass
class DashboardEvent:
    """time_s: of its newest occurrence, Unix time, s. level: of LEVELS. count: how often it occurred in a row."""

    number: int
    time_s: float
    level: str
    text: str
    count: int = 1


@dataclass
class RuleStatistics:
    """How often a rule acted, for how long in all (s), and when last (Unix time, s)."""

    count: int = 0
    total_s: float = 0.0
    last_s: float = -math.inf


class EventLog:
    """Turns observations into short sentences.

    Every `now_s` is Unix time, s.

    Args:
        prismatic: joints whose unit is the metre.

    Attributes:
        rules: statistics of each rule that has acted.
    """

    def __init__(self, prismatic: frozenset[str] = frozenset()) -> None:
        self._prismatic = prismatic
        self._events: deque[DashboardEvent] = deque(maxlen=MAX_EVENTS)
        self._number = 0
        self._repeated: dict[tuple[str, str], DashboardEvent] = {}  # (rule, joint) → its newest event
        self._silent: set[str] = set()
        self._status: FilterStatus | None = None
        self._status_s = 0.0
        self._plan: PlanSummary | None = None
        self._reports: dict[str, NodeReport] = {}
        self.rules: dict[str, RuleStatistics] = {}

    def newest(self) -> list[DashboardEvent]:
        """Return the events that are kept, newest first."""
        return sorted(self._events, key=lambda event: (event.time_s, event.number), reverse=True)

    def add(self, now_s: float, level: str, text: str) -> DashboardEvent:
        """Append an event. level: of LEVELS."""
        self._number += 1
        event = DashboardEvent(self._number, now_s, level, text)
        self._events.append(event)
        return event

    def on_status(self, now_s: float, status: FilterStatus) -> None:
        """Take a status of the safety filter: changes of its state, and rules that act."""
        last, since_s = self._status, now_s - self._status_s
        self._status, self._status_s = status, now_s
        if last is None or status.state != last.state:
            self._on_state(now_s, status, last)
        if status.rule and not self.is_expected(status):
            self._on_rule(now_s, status, since_s if last is not None and last.rule == status.rule else 0.0)

    def is_expected(self, status: FilterStatus) -> bool:
        """Whether the filter brakes because nobody sends setpoints, and nobody is to: the task has ended or is held."""
        task = self._plan is not None and self._plan.state == "ACTIVE"
        return status.state == "STOPPING" and status.rule == "open_loop" and not task

    def on_plan(self, now_s: float, plan: PlanSummary) -> None:
        """Take a plan: a new subtask, or the end of the task."""
        last, self._plan = self._plan, plan
        if plan.state == "ACTIVE":
            new = last is None or (last.subtask, last.instruction_id) != (plan.subtask, plan.instruction_id)
            if plan.subtask and new:
                self.add(now_s, "info", f"planner: {plan.subtask}")
            return
        if last is not None and (last.state, last.reasoning) == (plan.state, plan.reasoning):
            return
        reason = f": {plan.reasoning}" if plan.reasoning else ""
        if plan.state == "DONE":
            self.add(now_s, "info", f"done{reason}")
        elif plan.state in ("FAILED", "REFUSED"):
            self.add(now_s, "alarm", f"planner {plan.state.lower()}{reason}")
        elif is_told(plan.reasoning):
            self.add(now_s, "info", plan.reasoning)
        elif plan.instruction:
            self.add(now_s, "warning", f"planner holds{reason}")

    def on_report(self, now_s: float, report: NodeReport) -> None:
        """Take what a node says on /diagnostics: changes of its level."""
        last = self._reports.get(report.name)
        self._reports[report.name] = report
        if last is not None and last.level == report.level:
            return
        if report.level:
            self.add(now_s, LEVELS[min(report.level, 2)], f"{report.name}: {report.message}")
        elif last is not None:
            self.add(now_s, "info", f"{report.name} is well again")

    def on_silent(self, now_s: float, silent: Mapping[str, float]) -> None:
        """Take who is silent now: name → s since it spoke last. The start and the end of a silence are events."""
        for name in sorted(set(silent) - self._silent):
            self.add(now_s, "alarm", f"{name} is silent (last heard {silent[name]:.1f} s ago)")
        for name in sorted(self._silent - set(silent)):
            self.add(now_s, "info", f"{name} is heard again")
        self._silent = set(silent)

    def _on_state(self, now_s: float, status: FilterStatus, last: FilterStatus | None) -> None:
        text, level = STATE_TEXTS.get(status.state), STATE_LEVELS.get(status.state, "info")
        if text is None:  # TRACKING and LIMITING alternate; the rules tell the difference
            if last is None or last.state not in ("TRACKING", "LIMITING", *BRAKING):
                self.add(now_s, "info", f"the arm follows the {status.source or 'command'}")
            return
        if status.state == "HOLDING" and last is not None and last.state != "DISARMED":
            text = "at rest"
        if self.is_expected(status):
            text, level = "coming to rest", "info"
        self.add(now_s, level, f"{text}: {status.reason}" if level != "info" and status.reason else text)

    def _on_rule(self, now_s: float, status: FilterStatus, acted_s: float) -> None:
        statistics = self.rules.setdefault(status.rule, RuleStatistics())
        statistics.count += now_s - statistics.last_s >= REPEAT_S
        statistics.total_s += min(acted_s, REPEAT_S)
        statistics.last_s = now_s
        if status.state in STATE_LEVELS:
            return  # the event of the state has the reason
        event = self._repeated.get((status.rule, status.joint))
        text = self._rule_text(status)
        if event is not None and now_s - event.time_s < REPEAT_S:
            event.time_s, event.count, event.text = now_s, event.count + 1, text
        else:
            self._repeated[status.rule, status.joint] = self.add(now_s, "warning", text)

    def _rule_text(self, status: FilterStatus) -> str:
        if status.rule not in UNITS or not status.joint:
            return f"{status.rule.replace('_', ' ')}: {status.reason}"
        unit = ("m" if status.joint in self._prismatic else "rad") + UNITS[status.rule]
        if status.rule == "position_limit":
            margins = dict(zip(status.joint_names, status.position_margins, strict=False))
            margin = margins.get(status.joint, abs(status.limit - status.granted))
            return f"{status.joint} slowed: {margin:.2f} {unit} from its limit"
        requested, limit = abs(status.requested), abs(status.limit)
        if not requested > limit:  # limited for what would follow from it; the filter's reason says what
            return f"{status.joint} {VERBS[status.rule]}: {status.reason}"
        return f"{status.joint} {VERBS[status.rule]}: {_short(requested)} {unit} asked, {_short(limit)} allowed"


def _short(value: float) -> str:
    """Return three digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
