"""The offline loop stands for the graph: same seeds, same verdicts."""

from __future__ import annotations

from vla_ros.evaluation.episodes import Setup, episodes
from vla_ros.evaluation.intervals import wilson
from vla_ros.evaluation.suites import suite
from vla_ros.graph import bringup
from vla_ros.nodes.through_graph import Graph
from vla_ros.parameters import from_mapping, nested
from vla_ros.safety.parameters import SafetyFilterParameters

TASKS = (("pick", 3), ("push", 3), ("pick", 4), ("push", 4))
"""So many that the intervals of all and of none do not overlap."""


def test_offline_and_graph_agree_within_the_interval() -> None:
    (gate,) = [process for process in bringup() if process.name == "safety_filter"]
    setup = Setup("classical", from_mapping(SafetyFilterParameters, nested(gate.parameters)))
    (case,) = suite("nominal")
    offline = sum(end.success for end in episodes(setup, [(case, *task) for task in TASKS], 1))
    with Graph("classical") as graph:
        real = sum(graph.episode(seed, task, say=lambda line: None).success for task, seed in TASKS)
    (low, high), (graph_low, graph_high) = (wilson(count, len(TASKS)) for count in (offline, real))
    assert max(low, graph_low) <= min(high, graph_high), (offline, real)
    assert offline == len(TASKS)  # else there is nothing to agree on
