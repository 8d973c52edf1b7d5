"""Options of `vla-ros eval` that cannot be met are refused with what there is; the rest becomes parameters of nodes."""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vla_ros.cli import eval as evaluate
from vla_ros.parameters import ParameterError
from vla_ros.sim.task_sampler import sample_task


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    evaluate.arguments(parser)
    return parser.parse_args(options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--tasks", "juggle"), "task kinds are pick"),
        (("--episodes", "0"), "--episodes 0"),
        (("--seed", "-1"), "--seed -1: seeds of evaluation are 0 to 999999"),
        (("--through-graph", "--suite", "robust"), "--suite robust: only nominal runs through the graph"),
        (("--chunk-transition", "glue"), "--chunk-transition glue: there are"),
        (("--jobs", "-2"), "--jobs -2: at least 1"),
        (("--policy", "lerobot", "--checkpoint", "/nowhere/act"), "/nowhere/act: there is no such folder"),
        (("--policy", "openvla"), "openvla.checkpoint: name the folder of a checkpoint"),
        (("--policy", "magic"), "policy: there is no 'magic'"),
        (("--suite", "luck"), "luck"),
        (("--suite", "honest", "--tasks", "pick"), "--suite honest: has scenes and words of its own"),
        (("--suite", "rewritten", "--instruction", "go"), "--suite rewritten: has scenes and words of its own"),
        (("--object", "red cubes"), "--object red cubes: in suite nominal, one of red cube"),
        (("--object", "red cube", "--suite", "robust"), "in suite nominal"),
    ],
)
def test_an_option_that_cannot_be_met_is_refused(options: tuple[str, ...], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        evaluate.run(parsed(*options))


@pytest.mark.parametrize("option", ["--chunk-transition", "--splicing"])
def test_checkpoint_and_chunk_transition_reach_the_nodes(option: str) -> None:
    nodes = evaluate._nodes(parsed("--policy", "compact", "--checkpoint", "mine", option, "naive"))
    assert nodes["planner"]["compact"]["checkpoint"] == "mine"
    assert nodes["action_expert"]["compact"]["checkpoint"] == "mine"
    assert nodes["action_expert"]["chunk_transition"] == "naive"


def test_an_object_chooses_the_scenes_whose_task_begins_with_it() -> None:
    chosen = parsed("--tasks", "pick", "--object", "red cube", "--episodes", "3", "--seed", "500")
    episodes = list(evaluate._episodes(chosen, ("pick",)))
    assert [kind for kind, _ in episodes] == ["pick"] * 3
    assert [sample_task(seed, "pick")[1].steps[0].x for _, seed in episodes] == ["red cube"] * 3
    assert episodes[0][1] >= 500
    with pytest.raises(ParameterError, match="--object red ball: no task push with it"):
        list(evaluate._episodes(parsed("--object", "red ball", "--episodes", "1"), ("push",)))


def test_a_vlm_of_the_configuration_is_evaluated(tmp_path: Path) -> None:
    file = tmp_path / "vlm.yaml"
    file.write_text("planner: {ros__parameters: {vlm: {url: 'http://localhost:8000/v1', model: m}}}")
    nodes = evaluate._nodes(parsed("--system2", "vlm", "--config", str(file)))
    assert nodes["planner"]["vlm"]["model"] == "m"
    assert nodes["action_expert"]["system2"] == "vlm"
    with pytest.raises(ParameterError, match=r"planner\.vlm\.url: give the URL"):
        evaluate._nodes(parsed("--system2", "vlm"))


@pytest.mark.parametrize("policy", ["compact", "remote"])
def test_what_is_evaluated_can_be_sent_to_other_processes(
    policy: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "remote.yaml"
    config.write_text("/**: {ros__parameters: {remote: {binding: {rate_hz: 10.0}}}}\n")
    sent = []

    def remember(setup: object, *_: object) -> Iterator[Any]:
        sent.append(pickle.loads(pickle.dumps(setup)))
        yield from ()

    monkeypatch.setattr("vla_ros.lab.evaluation.episodes.run_episodes", remember)
    monkeypatch.setattr("vla_ros.bringup.start_check.require_startable", lambda *_: None)
    options = ("--config", str(config)) if policy == "remote" else ()
    evaluate.run(parsed("--policy", policy, "--episodes", "1", "--jobs", "2", *options))
    assert sent[0].policy == policy and sent[0].planner.policy == policy
