"""What was asked, thought and decided, one line of JSON for each change."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOVING = ("TRACKING", "LIMITING")
QUIET_NS = 1_000_000_000
"""A rule of the filter that has not acted for so long is told again."""


@dataclass(frozen=True)
class Entry:
    """One change. kind: "instruction", "plan", "filter" or "question". time_ns: system clock. said: what the line holds."""

    kind: str
    time_ns: int
    said: Mapping[str, Any]

    def title(self) -> str:
        """The part that people look for."""
        names = ("text", "subtask", "rule", "reasoning", "state")
        return next((str(self.said[name]) for name in names if self.said.get(name)), "")

    def line(self) -> str:
        """One line of JSON; numbers that nobody knows are null."""
        when = datetime.datetime.fromtimestamp(self.time_ns / 1e9, datetime.UTC).isoformat(timespec="milliseconds")
        known = {key: None if _unknown(value) else value for key, value in self.said.items()}
        return json.dumps({"time": when, "time_ns": self.time_ns, "kind": self.kind, **known}, ensure_ascii=False)


@dataclass
class Reasoning:
    """Keeps what changes: a plan that says the same as the one before, with other numbers, is no change."""

    entries: list[Entry] = field(default_factory=list)
    _last: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _limited_ns: dict[str, int] = field(default_factory=dict)

    def instruction(self, time_ns: int, text: str, instruction_id: int) -> Entry | None:
        """A sentence was said."""
        return self._note("instruction", time_ns, (instruction_id,), {"text": text, "instruction_id": instruction_id})

    def plan(self, time_ns: int, plan: Mapping[str, Any]) -> Entry | None:
        """A plan was sent. plan: fields of `LatentPlan` by name, `state` in words."""
        key = tuple(plan[name] for name in ("instruction_id", "state", "subtask", "reasoning"))
        return self._note("plan", time_ns, key, plan)

    def filter(self, time_ns: int, status: Mapping[str, Any]) -> Entry | None:
        """The filter spoke. status: fields of `SafetyStatus` by name, `state` in words.

        Motion that is limited and then is not is one motion; a rule that limits it is told once while it does.
        """
        state, rule = str(status["state"]), str(status["rule"])
        going_on = state in MOVING and self._last.get("filter", ("",))[0] in MOVING
        if state != "LIMITING":
            return None if going_on else self._note("filter", time_ns, (state, rule), status)
        quiet = time_ns - self._limited_ns.get(rule, -QUIET_NS) >= QUIET_NS
        self._limited_ns[rule] = time_ns
        return self._note("filter", time_ns, (state, rule, time_ns), status) if quiet or not going_on else None

    def question(self, time_ns: int, text: str) -> Entry | None:
        """A monitor asked; empty: it was answered."""
        return self._note("question", time_ns, (text,), {"text": text})

    def _note(self, kind: str, time_ns: int, key: tuple[object, ...], said: Mapping[str, Any]) -> Entry | None:
        if self._last.get(kind) == key:
            return None
        self._last[kind] = key
        entry = Entry(kind, time_ns, dict(said))
        self.entries.append(entry)
        return entry


def _unknown(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
