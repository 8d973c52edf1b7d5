"""Instructions, plans, questions and decisions of the filter, one line of JSON for each change."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vla_ros.time import NS_PER_S

MOVING_STATES = ("TRACKING", "LIMITING")
REPEAT_AFTER_NS = NS_PER_S
"""A rule of the filter is written again when it had not acted for so long."""


@dataclass(frozen=True)
class ReasoningEntry:
    """One change. kind: "instruction", "plan", "filter" or "question". time_ns: system clock. values: what the line holds."""

    kind: str
    time_ns: int
    values: Mapping[str, Any]

    def title(self) -> str:
        """Return the value that people look for first."""
        names = ("text", "subtask", "rule", "reasoning", "state")
        return next((str(self.values[name]) for name in names if self.values.get(name)), "")

    def line(self) -> str:
        """Return one line of JSON; unknown numbers are null."""
        when = datetime.datetime.fromtimestamp(self.time_ns / NS_PER_S, datetime.UTC).isoformat(timespec="milliseconds")
        values = {key: None if _unknown(value) else value for key, value in self.values.items()}
        return json.dumps({"time": when, "time_ns": self.time_ns, "kind": self.kind, **values}, ensure_ascii=False)


@dataclass
class Reasoning:
    """Keeps changes only: a plan with the same texts as the one before and other numbers is no change."""

    entries: list[ReasoningEntry] = field(default_factory=list)
    _last: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _limited_ns: dict[str, int] = field(default_factory=dict)

    def instruction(self, time_ns: int, text: str, instruction_id: int) -> ReasoningEntry | None:
        """Record an instruction."""
        return self._note("instruction", time_ns, (instruction_id,), {"text": text, "instruction_id": instruction_id})

    def plan(self, time_ns: int, plan: Mapping[str, Any]) -> ReasoningEntry | None:
        """Record a plan. plan: fields of `LatentPlan` by name, `state` as a name."""
        key = tuple(plan[name] for name in ("instruction_id", "state", "subtask", "reasoning"))
        return self._note("plan", time_ns, key, plan)

    def filter(self, time_ns: int, status: Mapping[str, Any]) -> ReasoningEntry | None:
        """Record a status of the filter. status: fields of `SafetyStatus` by name, `state` as a name.

        TRACKING and LIMITING in turn are one motion; a rule that limits it is written once while it does.
        """
        state, rule = str(status["state"]), str(status["rule"])
        continues = state in MOVING_STATES and self._last.get("filter", ("",))[0] in MOVING_STATES
        if state != "LIMITING":
            return None if continues else self._note("filter", time_ns, (state, rule), status)
        repeated = time_ns - self._limited_ns.get(rule, -REPEAT_AFTER_NS) >= REPEAT_AFTER_NS
        self._limited_ns[rule] = time_ns
        return self._note("filter", time_ns, (state, rule, time_ns), status) if repeated or not continues else None

    def question(self, time_ns: int, text: str) -> ReasoningEntry | None:
        """Record a monitor's question; empty: it was answered."""
        return self._note("question", time_ns, (text,), {"text": text})

    def _note(
        self, kind: str, time_ns: int, key: tuple[object, ...], values: Mapping[str, Any]
    ) -> ReasoningEntry | None:
        if self._last.get(kind) == key:
            return None
        self._last[kind] = key
        entry = ReasoningEntry(kind, time_ns, dict(values))
        self.entries.append(entry)
        return entry


def _unknown(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
