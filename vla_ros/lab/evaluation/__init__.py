"""How often a policy succeeds in simulation, and why it does not.

`run_episodes` runs episodes offline, `GraphEvaluation` through the running nodes. `EvaluationReport` counts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.lab.evaluation.episode_monitor import EpisodeMonitor
    from vla_ros.lab.evaluation.episodes import EvaluationSetup, run_episodes
    from vla_ros.lab.evaluation.intervals import wilson
    from vla_ros.lab.evaluation.loop import Conditions
    from vla_ros.lab.evaluation.offline import run_episode
    from vla_ros.lab.evaluation.report import EvaluationReport, Outcome
    from vla_ros.lab.evaluation.suites import SUITES, EvaluationCase, suite
    from vla_ros.lab.evaluation.through_graph import GraphEvaluation

__all__ = [
    "SUITES",
    "Conditions",
    "EpisodeMonitor",
    "EvaluationCase",
    "EvaluationReport",
    "EvaluationSetup",
    "GraphEvaluation",
    "Outcome",
    "run_episode",
    "run_episodes",
    "suite",
    "wilson",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "episode_monitor": ("EpisodeMonitor",),
        "episodes": (
            "EvaluationSetup",
            "run_episodes",
        ),
        "intervals": ("wilson",),
        "loop": ("Conditions",),
        "offline": ("run_episode",),
        "report": (
            "EvaluationReport",
            "Outcome",
        ),
        "suites": (
            "SUITES",
            "EvaluationCase",
            "suite",
        ),
        "through_graph": ("GraphEvaluation",),
    },
)
