"""All monitors together: what they are told, what they warn of, and when the arm is held to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vla_ros.monitors.disagreement import Disagreement
from vla_ros.monitors.drift import Drift
from vla_ros.monitors.failure import Failure
from vla_ros.monitors.monitor_parameters import MonitorsParameters
from vla_ros.monitors.oscillation import Oscillation
from vla_ros.monitors.progress import Progress
from vla_ros.monitors.training_statistics import TrainingStatistics
from vla_ros.policies.contract import Plan, PlanState


class Monitors:
    """Sees what the planner sees; time is the caller's, in ns. `motion` may have a clock of its own.

    Args: statistics: of the policy's training; None: not known.
    """

    def __init__(
        self, parameters: MonitorsParameters, joint_names: Sequence[str], statistics: TrainingStatistics | None = None
    ) -> None:
        self._hold = frozenset(parameters.hold)
        self._drift = Drift(parameters.drift, statistics, joint_names)
        self._disagreement = Disagreement(parameters.disagreement)
        self._failure = Failure(parameters.failure)
        self._oscillation = Oscillation(parameters.oscillation)
        self._progress = Progress(parameters.progress)
        self._excused: set[str] = set()
        self._may_move = False

    def instruction(self) -> None:
        """A new sentence. It answers what was asked: a warning that stands now asks again only after it has gone."""
        self._excused = set(self.warnings())
        for monitor in (self._disagreement, self._failure, self._oscillation, self._progress):
            monitor.reset()

    def observation(self, now_ns: int, images: Mapping[str, NDArray[np.uint8]], q: NDArray[np.float64]) -> None:
        """What the policy is about to be given. images: (h, w, 3) rgb of healthy cameras. q: (n,) rad or m."""
        self._drift.images(now_ns, images)
        self._drift.state(now_ns, q)

    def plan(self, now_ns: int, plan: Plan) -> None:
        """What the policy made of it."""
        self._failure.plan(plan)
        if plan.state is PlanState.ACTIVE:
            self._disagreement.plan(now_ns, plan)
            self._progress.plan(now_ns, plan, self._may_move)

    def motion(self, now_ns: int, may_move: bool, names: Sequence[str], positions: Sequence[float]) -> None:
        """What the filter sent, and when. may_move: whether the policy may move the arm. positions: empty: nothing."""
        self._may_move = may_move
        self._oscillation.positions(now_ns, names, positions)

    def warnings(self) -> dict[str, str]:
        """Name → words, of each monitor that warns."""
        said = {
            "drift": self._drift.warning(),
            "disagreement": self._disagreement.warning(),
            "failure": self._failure.warning(),
            "oscillation": self._oscillation.warning(),
            "progress": self._progress.warning(),
        }
        return {name: words for name, words in said.items() if words}

    def question(self) -> str:
        """What to ask while the arm is held; empty: nothing to hold for."""
        warnings = self.warnings()
        self._excused &= set(warnings)
        for name, words in warnings.items():
            if name in self._hold and name not in self._excused:
                return f"{name}: {words}. What shall I do?"
        return ""
