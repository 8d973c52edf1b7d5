"""Progress: an instruction that makes no progress."""

from __future__ import annotations

import math

from vla_ros.monitors.monitor_parameters import ProgressParameters
from vla_ros.policies.contract import Plan
from vla_ros.time import NS_PER_S

MIN_RISE = 0.01
"""A smaller rise of a plan's progress does not count."""
MAX_GAP_NS = NS_PER_S
"""At most this much counts of the time between two plans: a longer gap means no frames, no joint states or no permission."""


class Progress:
    """Warns when no plan brought a new subtask or a higher progress for `seconds`.

    Time does not count while the policy may not move the arm, makes no plans, or does not estimate its progress.
    """

    def __init__(self, parameters: ProgressParameters) -> None:
        self._parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new instruction has begun."""
        self._seen: set[str] = set()
        self._best = -math.inf
        self._last_ns: int | None = None
        self._stuck_ns = 0
        self._subtask = ""

    def on_plan(self, now_ns: int, plan: Plan, may_move: bool) -> None:
        """Take in a plan that is ACTIVE. may_move: whether the safety filter lets the policy move the arm."""
        if self._last_ns is not None and may_move and math.isfinite(plan.progress):
            self._stuck_ns += min(now_ns - self._last_ns, MAX_GAP_NS)
        self._last_ns, self._subtask = now_ns, plan.subtask
        higher = math.isfinite(plan.progress) and plan.progress >= self._best + MIN_RISE
        if higher or plan.subtask not in self._seen:
            self._stuck_ns = 0
        if higher:
            self._best = plan.progress
        self._seen.add(plan.subtask)

    def warning(self) -> str:
        """Return what makes no progress; empty when all does."""
        if self._stuck_ns < self._parameters.seconds * NS_PER_S:
            return ""
        return f"no progress for {self._stuck_ns / NS_PER_S:.0f} s{f': {self._subtask}' if self._subtask else ''}"
