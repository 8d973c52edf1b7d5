"""Results of an evaluation: collected episode by episode, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from vla_ros.evaluation.intervals import wilson


@dataclass(frozen=True)
class Outcome:
    """One episode. said: how the planner ended, and why. measures: the judge's, per step. seconds: until the end.

    case: of the suite. interventions: of the filter, by rule.
    """

    task: str
    seed: int
    instruction: str
    success: bool
    said: str
    seconds: float
    measures: Any = None
    case: str = ""
    interventions: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Report:
    """All episodes of one run. rates: what was measured beside them."""

    policy: str
    suite: str
    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    rates: dict[str, Any] = field(default_factory=dict)

    def counts(self, task: str = "", case: str = "") -> dict[str, Any]:
        """Successes, episodes and the 95 % interval of one task kind or of all, of one case or of all."""
        chosen = [o for o in self.outcomes if (not task or o.task == task) and (not case or o.case == case)]
        successes = sum(outcome.success for outcome in chosen)
        low, high = wilson(successes, len(chosen))
        return {"successes": successes, "episodes": len(chosen), "low": round(low, 4), "high": round(high, 4)}

    def tasks(self) -> list[str]:
        """Task kinds in the order in which they came."""
        return list(dict.fromkeys(outcome.task for outcome in self.outcomes))

    def cases(self) -> list[str]:
        """Cases in the order in which they came."""
        return list(dict.fromkeys(outcome.case for outcome in self.outcomes if outcome.case))

    def markdown(self) -> str:
        """For documents."""
        lines = [f"# {self.policy}, {self.suite}, seeds from {self.seed}", ""]
        lines += ["| case | task | success | of | rate | 95 % interval | median s |", "|---|---|---|---|---|---|---|"]
        for case in self.cases() or [""]:
            for task in [*self.tasks(), ""]:
                counts = self.counts(task, case)
                if not counts["episodes"]:
                    continue
                chosen = [o for o in self.outcomes if (not task or o.task == task) and (not case or o.case == case)]
                times = sorted(outcome.seconds for outcome in chosen)
                lines.append(
                    f"| {case} | {task or 'all'} | {counts['successes']} | {counts['episodes']} "
                    f"| {counts['successes'] / counts['episodes']:.0%} | {counts['low']:.0%} to {counts['high']:.0%} "
                    f"| {times[len(times) // 2]:.1f} |"
                )
        failures = [outcome for outcome in self.outcomes if not outcome.success]
        if failures:
            lines += ["", "## Failures", ""]
            lines += [f"- {o.case} seed {o.seed} {o.task}: *{o.instruction}*: {o.said}" for o in failures]
        return "\n".join(lines) + "\n"

    def json(self) -> dict[str, Any]:
        """The whole as `--json` writes it."""
        return {
            "policy": self.policy,
            "suite": self.suite,
            "seed": self.seed,
            "total": self.counts(),
            "tasks": {task: self.counts(task) for task in self.tasks()},
            "cases": {case: self.counts(case=case) for case in self.cases()},
            "rates": self.rates,
            "failures": [vars(outcome) for outcome in self.outcomes if not outcome.success],
        }

    def table(self) -> Table:
        """For the terminal."""
        table = Table(title=f"{self.policy}, {self.suite}, seeds from {self.seed}")
        for column in ("task", "success", "of", "rate", "95 % interval", "median s"):
            table.add_column(column, justify="left" if column == "task" else "right")
        for task in [*self.tasks(), ""]:
            counts = self.counts(task)
            times = sorted(o.seconds for o in self.outcomes if not task or o.task == task)
            rate = counts["successes"] / max(1, counts["episodes"])
            table.add_row(
                task or "all",
                str(counts["successes"]),
                str(counts["episodes"]),
                f"{rate:.0%}",
                f"{counts['low']:.0%} to {counts['high']:.0%}",
                f"{times[len(times) // 2]:.1f}" if times else "",
                end_section=task == (self.tasks() or [""])[-1],
            )
        return table
