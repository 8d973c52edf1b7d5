"""Failure: one subtask begun again and again, or several failed instructions in a row."""

from __future__ import annotations

from collections import Counter

from vla_ros.monitors.monitor_parameters import FailureParameters
from vla_ros.policies.contract import Plan, PlanState


class Failure:
    """Counts how often a subtask begins within one instruction, and how many instructions in a row failed."""

    def __init__(self, parameters: FailureParameters) -> None:
        self._parameters = parameters
        self._failed: list[int] = []
        self.reset()

    def reset(self) -> None:
        """A new instruction has begun. Earlier failed instructions still count."""
        self._starts: Counter[str] = Counter()
        self._subtask = ""

    def on_plan(self, plan: Plan) -> None:
        """Take in a plan of any state."""
        if plan.state is PlanState.FAILED and plan.instruction.id not in self._failed:
            self._failed = [*self._failed, plan.instruction.id][-self._parameters.failures :]
        elif plan.state is PlanState.DONE:
            self._failed = []
        if plan.state is PlanState.ACTIVE and plan.subtask != self._subtask:
            self._subtask = plan.subtask
            self._starts[plan.subtask] += 1

    def warning(self) -> str:
        """Return what fails; empty when nothing does."""
        if self._starts[self._subtask] >= self._parameters.repeats and self._subtask:
            return f"{self._subtask!r} was begun {self._starts[self._subtask]} times"
        if len(self._failed) >= self._parameters.failures:
            return f"{len(self._failed)} instructions in a row failed"
        return ""
