"""What happened lately, in words; and which rules of the filter acted, how often and for how long."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from vla_ros.dashboard.sightings import FilterStatus, NodeReport, PlanWords

KEPT = 60
SAME_S = 2.0  # a rule that acts again within this is still the same intervention
UNITS = {"position_limit": "", "velocity_limit": "/s", "acceleration_limit": "/s²", "jerk_limit": "/s³"}
STATE_WORDS = {
    "DISARMED": "disarmed: nothing passes",
    "HOLDING": "armed: holding still",
    "STOPPING": "braking to rest",
    "DISARMING": "braking to rest, then disarmed",
    "STALLED": "nothing is sent until the arm is at rest",
    "PROTECTIVE_STOP": "protective stop",
    "ESTOP": "emergency stop",
}
BRAKING = ("STOPPING", "DISARMING", "STALLED")
LEVELS = ("info", "warning", "alarm")


@dataclass
class Event:
    """time_s: wall clock of its newest occurrence, Unix seconds. level: of LEVELS. times: how often in a row."""

    number: int
    time_s: float
    level: str
    text: str
    times: int = 1


@dataclass
class Interventions:
    """How often a rule acted, for how long in all, and when last."""

    times: int = 0
    seconds: float = 0.0
    last_s: float = -math.inf


class Events:
    """Turns what is seen into short sentences.

    Args: prismatic: joints whose unit is the metre.
    """

    def __init__(self, prismatic: frozenset[str] = frozenset()) -> None:
        self._prismatic = prismatic
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._numbers = 0
        self._open: dict[tuple[str, str], Event] = {}
        self._status: FilterStatus | None = None
        self._status_s = 0.0
        self._plan: PlanWords | None = None
        self._reports: dict[str, NodeReport] = {}
        self.rules: dict[str, Interventions] = {}

    def newest(self) -> list[Event]:
        """The events kept, newest first."""
        return sorted(self._events, key=lambda event: (event.time_s, event.number), reverse=True)

    def say(self, now_s: float, level: str, text: str) -> Event:
        """Note something."""
        self._numbers += 1
        event = Event(self._numbers, now_s, level, text)
        self._events.append(event)
        return event

    def status(self, now_s: float, status: FilterStatus) -> None:
        """The filter spoke."""
        last, since_s = self._status, now_s - self._status_s
        self._status, self._status_s = status, now_s
        if last is None or status.state != last.state:
            self._state(now_s, status, last)
        if status.rule:
            self._rule(now_s, status, since_s if last is not None and last.rule == status.rule else 0.0)

    def _state(self, now_s: float, status: FilterStatus, last: FilterStatus | None) -> None:
        words = STATE_WORDS.get(status.state)
        if words is None:  # TRACKING and LIMITING come and go; the rules say the rest
            if last is None or last.state not in ("TRACKING", "LIMITING", *BRAKING):
                self.say(now_s, "info", f"the arm follows the {status.source or 'command'}")
            return
        level = "info"
        if status.state in BRAKING:
            level = "warning"
        elif status.state in ("PROTECTIVE_STOP", "ESTOP"):
            level = "alarm"
        if status.state == "HOLDING" and last is not None and last.state != "DISARMED":
            words = "at rest"
        self.say(now_s, level, f"{words}: {status.reason}" if level != "info" and status.reason else words)

    def _rule(self, now_s: float, status: FilterStatus, acted_s: float) -> None:
        entry = self.rules.setdefault(status.rule, Interventions())
        again = now_s - entry.last_s < SAME_S
        entry.times += not again
        entry.seconds += min(acted_s, SAME_S)
        entry.last_s = now_s
        if status.state in (*BRAKING, "PROTECTIVE_STOP", "ESTOP"):
            return  # its reason stands in the event of the state
        event = self._open.get((status.rule, status.joint))
        text = self._words(status)
        if event is not None and now_s - event.time_s < SAME_S:
            event.time_s, event.times, event.text = now_s, event.times + 1, text
        else:
            self._open[status.rule, status.joint] = self.say(now_s, "warning", text)

    def _words(self, status: FilterStatus) -> str:
        if status.rule not in UNITS or not status.joint:
            return f"{status.rule.replace('_', ' ')}: {status.reason}"
        unit = ("m" if status.joint in self._prismatic else "rad") + UNITS[status.rule]
        if status.rule == "position_limit":
            margins = dict(zip(status.joint_names, status.position_margins, strict=False))
            left = margins.get(status.joint, abs(status.limit - status.granted))
            return f"{status.joint} slowed: {left:.2f} {unit} from its limit"
        how = {"velocity_limit": "slowed", "acceleration_limit": "eased", "jerk_limit": "smoothed"}[status.rule]
        asked, allowed = abs(status.requested), abs(status.limit)
        if not asked > allowed:  # bent for what would come of it later; the filter says it better
            return f"{status.joint} {how}: {status.reason}"
        return f"{status.joint} {how}: {_short(asked)} {unit} asked, {_short(allowed)} allowed"

    def plan(self, now_s: float, plan: PlanWords) -> None:
        """The planner spoke."""
        last, self._plan = self._plan, plan
        if plan.state == "ACTIVE":
            new = last is None or (last.subtask, last.instruction_id) != (plan.subtask, plan.instruction_id)
            if plan.subtask and new:
                self.say(now_s, "info", f"planner: {plan.subtask}")
            return
        if last is not None and (last.state, last.reasoning) == (plan.state, plan.reasoning):
            return
        why = f": {plan.reasoning}" if plan.reasoning else ""
        if plan.state == "DONE":
            self.say(now_s, "info", f"done{why}")
        elif plan.state in ("FAILED", "REFUSED"):
            self.say(now_s, "alarm", f"planner {plan.state.lower()}{why}")
        elif plan.instruction:
            self.say(now_s, "warning", f"planner holds{why}")

    def report(self, now_s: float, report: NodeReport) -> None:
        """A node spoke on /diagnostics."""
        last = self._reports.get(report.name)
        self._reports[report.name] = report
        if last is not None and last.level == report.level:
            return
        if report.level:
            self.say(now_s, LEVELS[min(report.level, 2)], f"{report.name}: {report.message}")
        elif last is not None:
            self.say(now_s, "info", f"{report.name} is well again")

    def silence(self, now_s: float, silent: Mapping[str, float]) -> None:
        """Nodes that are silent now. silent: name → seconds since they were heard last."""
        for name in sorted(silent):
            if ("silent", name) not in self._open:
                text = f"{name} is silent (last heard {silent[name]:.1f} s ago)"
                self._open["silent", name] = self.say(now_s, "alarm", text)
        for key in [key for key in self._open if key[0] == "silent" and key[1] not in silent]:
            del self._open[key]
            self.say(now_s, "info", f"{key[1]} is heard again")


def _short(value: float) -> str:
    """Three digits, without powers of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
