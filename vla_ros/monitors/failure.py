"""Failure: the same step begun again and again, or one instruction after the other that failed."""

from __future__ import annotations

from collections import Counter

from vla_ros.monitors.monitor_parameters import FailureParameters
from vla_ros.policies.contract import Plan, PlanState


class Failure:
    """Counts beginnings of subtasks within an instruction, and failed instructions in a row."""

    def __init__(self, parameters: FailureParameters) -> None:
        self._parameters = parameters
        self._failed: list[int] = []
        self.reset()

    def reset(self) -> None:
        """Another instruction; failures of those before it go on counting."""
        self._begun: Counter[str] = Counter()
        self._subtask = ""

    def plan(self, plan: Plan) -> None:
        """A plan of any state."""
        if plan.state is PlanState.FAILED and plan.instruction.id not in self._failed:
            self._failed = [*self._failed, plan.instruction.id][-self._parameters.failures :]
        elif plan.state is PlanState.DONE:
            self._failed = []
        if plan.state is PlanState.ACTIVE and plan.subtask != self._subtask:
            self._subtask = plan.subtask
            self._begun[plan.subtask] += 1

    def warning(self) -> str:
        """What fails; empty: nothing."""
        if self._begun[self._subtask] >= self._parameters.repeats and self._subtask:
            return f"{self._subtask!r} was begun {self._begun[self._subtask]} times"
        if len(self._failed) >= self._parameters.failures:
            return f"{len(self._failed)} instructions in a row failed"
        return ""
