"""Disagreement: plans that contradict the previous plans."""

from __future__ import annotations

from collections import deque

import numpy as np

from vla_ros.monitors.monitor_parameters import DisagreementParameters
from vla_ros.policies.contract import Plan

SUBTASK_WINDOW_NS = 2_000_000_000
"""Changes of the subtask are counted over this time."""


class Disagreement:
    """Warns when the end of the path jumps from plan to plan within one subtask, or when the subtask keeps changing."""

    def __init__(self, parameters: DisagreementParameters) -> None:
        self._parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new instruction has begun."""
        self._jumps_m: deque[float] = deque(maxlen=self._parameters.plans)
        self._changes_ns: deque[int] = deque()
        self._last: Plan | None = None

    def on_plan(self, now_ns: int, plan: Plan) -> None:
        """Take in a plan that is ACTIVE."""
        last, self._last = self._last, plan
        if last is None:
            return
        if plan.subtask != last.subtask:
            self._changes_ns.append(now_ns)
            self._jumps_m.clear()
        elif len(plan.path) and len(last.path):
            self._jumps_m.append(float(np.linalg.norm(plan.path[-1, :3] - last.path[-1, :3])))
        while self._changes_ns and now_ns - self._changes_ns[0] > SUBTASK_WINDOW_NS:
            self._changes_ns.popleft()

    def warning(self) -> str:
        """Return what contradicts what; empty when nothing does."""
        subtask = "" if self._last is None else self._last.subtask
        if len(self._changes_ns) >= self._parameters.changes:
            return f"plans disagree: the subtask changed {len(self._changes_ns)} times in 2 s, now {subtask!r}"
        if len(self._jumps_m) == self._parameters.plans:
            jump_m = float(np.median(self._jumps_m))
            if jump_m > self._parameters.endpoint_m:
                return f"plans disagree: the way of {subtask!r} ends {jump_m:.2f} m away from plan to plan"
        return ""
