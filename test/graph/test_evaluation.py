"""The offline loop stands for the graph: same seeds, same rates. What the graph's report knows beside them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.lab.evaluation.episodes import EvaluationSetup, run_episodes
from vla_ros.lab.evaluation.intervals import wilson
from vla_ros.lab.evaluation.interventions import InterventionCounter
from vla_ros.lab.evaluation.report import Outcome
from vla_ros.lab.evaluation.suites import suite
from vla_ros.lab.evaluation.through_graph import PATIENCE_S, GraphEvaluation
from vla_ros.msg import SafetyStatus
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.policies.compact.checkpoint import load
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.ros.client import Unreachable
from vla_ros.safety.safety_parameters import SafetyFilterParameters

TASKS = (("pick", 3), ("push", 3), ("place", 3), ("stack", 3))


@pytest.mark.timeout(3600)  # in real time, on a machine that may be slow
def test_offline_and_graph_agree() -> None:
    setup = EvaluationSetup(
        "compact", from_mapping(SafetyFilterParameters, nested(parameters_of("safety_filter", policy="compact")))
    )
    (case,) = suite("nominal")
    offline = sum(end.success for end in run_episodes(setup, [(case, *task) for task in TASKS], 1))
    assert offline == len(TASKS)  # else there is nothing to agree on
    with GraphEvaluation("compact") as graph:
        ends = [_episode(graph, *task) for task in TASKS]
        rates, checkpoint = graph.rates(), graph.checkpoint
    low, _ = wilson(offline, len(TASKS))
    told = [f"{end.task} {end.seed}: {end.success}, {end.said}, {end.behind_s} s behind" for end in ends]
    assert sum(end.success for end in ends) / len(ends) >= low, "\n".join([*told, *map(str, rates.items())])
    assert checkpoint == load(folder_of(from_mapping(CompactParameters, {}))).hash
    assert float(rates["action_expert"]["chunk_rate_hz"]) > 0
    assert sum(sum(end.interventions.values()) for end in ends) <= int(rates["safety_filter"]["limited"])


def _episode(graph: GraphEvaluation, task: str, seed: int) -> Outcome:
    """Once more, at most twice, when it failed on a machine that stood still meanwhile: that is no real time."""
    for _ in range(3):
        end = graph.episode(seed, task, say=lambda line: None)
        if end.success or end.kept_time:
            break
    return end


def test_a_node_that_refuses_to_start_ends_the_evaluation_at_once(tmp_path: Path) -> None:
    overrides = {node: {"scripted.plan": str(tmp_path / "nowhere.yaml")} for node in ("planner", "action_expert")}
    began_s = time.monotonic()
    with (
        pytest.raises(Unreachable, match=r"ended \(exit code 2\).*nowhere\.yaml"),
        GraphEvaluation("scripted", overrides=overrides),
    ):
        pass
    assert time.monotonic() - began_s < PATIENCE_S / 2


def test_what_cannot_run_starts_nothing() -> None:
    with pytest.raises(ParameterError, match="lerobot.checkpoint: which policy"):
        GraphEvaluation("lerobot")


def test_interventions_are_counted_from_what_the_filter_says() -> None:
    graph = GraphEvaluation.__new__(GraphEvaluation)
    graph._acted, graph._limited, graph._rule = InterventionCounter(), 10, ""

    def hear(ms: int, state: int, rule: str, limited: int) -> None:
        status = SafetyStatus(state=state, rule=rule, limited=limited)
        status.header.stamp.nanosec = ms * 1_000_000
        graph._see(status)

    hear(0, SafetyStatus.TRACKING, "", 10)
    hear(4, SafetyStatus.LIMITING, "jerk_limit", 11)
    hear(44, SafetyStatus.LIMITING, "jerk_limit", 21)
    hear(84, SafetyStatus.TRACKING, "", 24)  # it went on for three ticks
    hear(500, SafetyStatus.LIMITING, "jerk_limit", 25)
    hear(504, SafetyStatus.LIMITING, "fence", 26)
    hear(540, SafetyStatus.ESTOP, "estop", 26)
    assert graph._acted.ticks == {"jerk_limit": 15, "fence": 1, "estop": 0}
    assert graph._acted.begun == {"jerk_limit": 2, "fence": 1, "estop": 1}
