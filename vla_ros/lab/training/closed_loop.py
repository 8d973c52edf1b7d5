"""Success rate of a checkpoint in simulation, on scenes of neither training nor evaluation."""

from __future__ import annotations

from pathlib import Path

from vla_ros.bringup.graph import parameters_of
from vla_ros.lab.evaluation.episodes import EvaluationSetup, run_episodes
from vla_ros.lab.evaluation.suites import EvaluationCase
from vla_ros.parameters import from_mapping, nested
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.variation import Variation
from vla_ros.tasks import seeds
from vla_ros.tasks.task import KINDS


def success(folder: Path, count: int) -> float:
    """Return the share of `count` tasks, of all kinds in turn, at which the checkpoint in `folder` succeeds."""
    safety = from_mapping(SafetyFilterParameters, nested(parameters_of("safety_filter", policy="compact")))
    setup = EvaluationSetup("compact", safety, {"checkpoint": str(folder)})
    case = EvaluationCase("training", variation=Variation(pairs="training"))
    tasks = [(case, KINDS[i % len(KINDS)], seeds.CLOSED_LOOP + i) for i in range(count)]
    return sum(outcome.success for outcome in run_episodes(setup, tasks, jobs=1)) / count
