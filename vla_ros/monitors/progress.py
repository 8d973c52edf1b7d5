"""Progress: an instruction that gets no further."""

from __future__ import annotations

import math

from vla_ros.monitors.monitor_parameters import ProgressParameters
from vla_ros.policies.contract import Plan

LEAST = 0.01
"""Rise of a plan's progress that counts."""
LONGEST_NS = 1_000_000_000
"""So much at most counts of the time between two plans: what is longer is no frames, no joint states or no permission."""


class Progress:
    """Warns when for `seconds` no plan brought a new subtask or a higher progress. Time in which the policy may not move the
    arm, makes no plans or does not estimate its progress does not count."""

    def __init__(self, parameters: ProgressParameters) -> None:
        self._parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Another instruction."""
        self._seen: set[str] = set()
        self._best = -math.inf
        self._last_ns: int | None = None
        self._stuck_ns = 0
        self._subtask = ""

    def plan(self, now_ns: int, plan: Plan, may_move: bool) -> None:
        """An ACTIVE plan. may_move: whether the filter lets the policy move the arm."""
        if self._last_ns is not None and may_move and math.isfinite(plan.progress):
            self._stuck_ns += min(now_ns - self._last_ns, LONGEST_NS)
        self._last_ns, self._subtask = now_ns, plan.subtask
        higher = math.isfinite(plan.progress) and plan.progress >= self._best + LEAST
        if higher or plan.subtask not in self._seen:
            self._stuck_ns = 0
        if higher:
            self._best = plan.progress
        self._seen.add(plan.subtask)

    def warning(self) -> str:
        """What does not go on; empty: all does."""
        if self._stuck_ns < self._parameters.seconds * 1e9:
            return ""
        return f"no progress for {self._stuck_ns / 1e9:.0f} s{f': {self._subtask}' if self._subtask else ''}"
