"""Results of an evaluation: collected episode by episode, counted, as JSON and as a table."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rich.table import Table

from vla_ros.lab.evaluation.calibration import Calibration, calibration
from vla_ros.lab.evaluation.chunk_discontinuities import DiscontinuityStatistics, combine
from vla_ros.lab.evaluation.honest.scores import SCORES
from vla_ros.lab.evaluation.intervals import wilson
from vla_ros.policies.contract import PlanState

FILMS = 3  # that are kept of successes, and of failures
KEPT_TIME_S = 0.1  # a simulated arm that fell farther behind real time ran on a machine that stood still


@dataclass(frozen=True)
class Outcome:
    """What came of one episode. The names are keys of the JSON report.

    Attributes:
        task, seed, instruction: what was asked for.
        success: the judge's verdict.
        said: how the planner ended, or the words that it ended with in `state`.
        seconds: until it ended; without the graph of simulated time.
        measures: of the judge, per step.
        case: of the suite.
        interventions: rule of the filter → ticks in which it acted until the planner ended.
        begun: rule of the filter → how often it began to act.
        reason: of a failure, of `episode_monitor.REASONS`; of a sentence how it ended, of `honest.scores.SCORES`.
        confidence: see `EpisodeMonitor.confidence`.
        meant: whether it went for the right object first; None where that cannot be said.
        roughness: at the transitions between chunks.
        disturbed: whether what its case does to scene or world came about.
        unknown: what was asked cannot be done; success is to refuse it.
        behind_s: that simulated time fell behind real time, through the graph.
        state: the planner's last one.
        subtasks: in order.
        checkpoint: of the policy.
        film: seconds, subtask and JPEG of what the policy saw, when asked for.
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
    begun: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    confidence: float = math.nan
    meant: bool | None = None
    roughness: DiscontinuityStatistics = field(default_factory=DiscontinuityStatistics)
    disturbed: bool = False
    unknown: bool = False
    behind_s: float = 0.0
    state: PlanState | None = None
    subtasks: tuple[str, ...] = ()
    checkpoint: str = ""
    film: tuple[tuple[float, str, bytes], ...] = field(default=(), repr=False)

    @property
    def ended(self) -> str:
        """How the planner ended, and its words."""
        state = "" if self.state is None else self.state.name.lower()
        return ": ".join(part for part in (state, self.said) if part)

    @property
    def kept_time(self) -> bool:
        """Whether the machine kept up with real time."""
        return self.behind_s <= KEPT_TIME_S

    def json(self) -> dict[str, Any]:
        """For `--json`."""
        left_out = ("state", "subtasks", "checkpoint", "film")
        values = {key: value for key, value in vars(self).items() if key not in left_out}
        confidence = None if math.isnan(self.confidence) else round(self.confidence, 4)
        return {**values, "said": self.ended, "confidence": confidence, "roughness": asdict(self.roughness)}


@dataclass
class EvaluationReport:
    """All episodes of one run.

    Attributes:
        policy, suite, seed: what was run.
        outcomes: in order.
        rates: what was measured beside them.
        about: how it was run.
    """

    policy: str
    suite: str
    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    rates: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Take in an episode; films of the first few only."""
        kept = sum(1 for other in self.outcomes if other.film and other.success is outcome.success)
        self.outcomes.append(outcome if kept < FILMS else replace(outcome, film=()))

    def chosen(self, task: str = "", case: str = "") -> list[Outcome]:
        """Those of one task kind or of all, of one case or of all."""
        return [o for o in self.outcomes if (not task or o.task == task) and (not case or o.case == case)]

    def counts(self, task: str = "", case: str = "") -> dict[str, Any]:
        """Successes, episodes, the 95 % interval and the median time of the successes."""
        return _counts(self.chosen(task, case))

    def kept_time(self) -> dict[str, Any]:
        """The same of the episodes in which the machine kept up with real time."""
        return _counts([outcome for outcome in self.outcomes if outcome.kept_time])

    def tasks(self) -> list[str]:
        """Task kinds in the order in which they came."""
        return list(dict.fromkeys(outcome.task for outcome in self.outcomes))

    def cases(self) -> list[str]:
        """Cases in the order in which they came."""
        return list(dict.fromkeys(outcome.case for outcome in self.outcomes if outcome.case))

    def reasons(self, task: str = "", case: str = "") -> dict[str, int]:
        """Failures by reason, the most frequent first."""
        failed = [outcome.reason or outcome.ended for outcome in self.chosen(task, case) if not outcome.success]
        return dict(Counter(failed).most_common())

    def scores(self) -> dict[str, int]:
        """How often sentences ended in which way, of a suite of sentences; empty: there were none."""
        found = Counter(outcome.reason for outcome in self.outcomes)
        return {score: found[score] for score in SCORES} if found and set(found) <= set(SCORES) else {}

    def interventions(self) -> dict[str, dict[str, float]]:
        """By rule of the filter: how often it began to act in a minute, and the share of the time in which it did."""
        minutes = sum(outcome.seconds for outcome in self.outcomes) / 60
        ticks, begun = Counter[str](), Counter[str]()
        for outcome in self.outcomes:
            ticks.update(outcome.interventions)
            begun.update(outcome.begun)
        if not minutes:
            return {}
        return {
            rule: {"per_minute": round(begun[rule] / minutes, 3), "share": round(count / (minutes * 60 * 250), 5)}
            for rule, count in ticks.most_common()
        }

    def roughness(self) -> DiscontinuityStatistics:
        """At the transitions of all episodes."""
        return combine(outcome.roughness for outcome in self.outcomes)

    def calibrations(self) -> dict[str, Calibration]:
        """Of the planner's confidence, against having done what was asked and having gone for the right object first.

        What cannot be done counts as not done, and no object is the right one: a low confidence is right there.
        """
        told = [outcome for outcome in self.outcomes if not math.isnan(outcome.confidence)]
        answers = {
            "task done": [(o.confidence, o.success and not o.unknown) for o in told],
            "right thing": [(o.confidence, o.meant and not o.unknown) for o in told if o.meant is not None],
        }
        return {name: calibration(given) for name, given in answers.items() if given}

    def json(self) -> dict[str, Any]:
        """The whole as `--json` writes it."""
        return {
            "policy": self.policy,
            "suite": self.suite,
            "seed": self.seed,
            "about": self.about,
            "total": self.counts(),
            "kept_time": self.kept_time(),
            "tasks": {task: self.counts(task) for task in self.tasks()},
            "cases": {case: self.counts(case=case) for case in self.cases()},
            "reasons": self.reasons(),
            "scores": self.scores(),
            "interventions": self.interventions(),
            "seams": asdict(self.roughness()),
            "calibration": {name: asdict(found) for name, found in self.calibrations().items()},
            "rates": self.rates,
            "episodes": [outcome.json() for outcome in self.outcomes],
        }

    def table(self) -> Table:
        """For the terminal."""
        table = Table(title=f"{self.policy}, {self.suite}, seeds from {self.seed}")
        for column in ("case", "task", "success", "of", "rate", "95 % interval", "median s", "failures"):
            table.add_column(column, justify="left" if column in ("case", "task", "failures") else "right")
        for case, task, counts, failures in self.rows():
            table.add_row(case, task or "all", *count_cells(counts), failures, end_section=not task)
        if scores := self.scores():
            table.caption = "; ".join(f"{score}: {n} ({n / len(self.outcomes):.1%})" for score, n in scores.items())
        kept = self.kept_time()
        if kept["episodes"] < len(self.outcomes):
            table.caption = (
                f"The machine fell behind real time in {len(self.outcomes) - kept['episodes']} episodes; "
                f"of the other {kept['episodes']}, {kept['successes']} succeeded."
            )
        return table

    def rows(self) -> Iterator[tuple[str, str, dict[str, Any], str]]:
        """Case, task, counts and failures of every line of a table: each task, then all of a case, then all cases."""
        cases = self.cases() or [""]
        lines = [(case, case, task) for case in cases for task in [*self.tasks(), ""]]
        if len(cases) > 1:
            lines += [("all", "", "")]
        for name, case, task in lines:
            counts = self.counts(task, case)
            if counts["episodes"]:
                yield name, task, counts, ", ".join(f"{n} {why}" for why, n in self.reasons(task, case).items())


def count_cells(counts: Mapping[str, Any]) -> tuple[str, ...]:
    """Success, of, rate, interval and median as text."""
    return (
        str(counts["successes"]),
        str(counts["episodes"]),
        f"{counts['successes'] / counts['episodes']:.0%}",
        f"{counts['low']:.0%} to {counts['high']:.0%}",
        f"{counts['median_s']:.1f}" if counts["median_s"] is not None else "",
    )


def _counts(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    successes = sum(outcome.success for outcome in outcomes)
    low, high = wilson(successes, len(outcomes))
    seconds = [outcome.seconds for outcome in outcomes if outcome.success]
    return {
        "successes": successes,
        "episodes": len(outcomes),
        "low": round(low, 4),
        "high": round(high, 4),
        "median_s": round(statistics.median(seconds), 2) if seconds else None,
    }
