"""A scene that is kept for training is refused before anything is started."""

from __future__ import annotations

import argparse
import sys
from types import SimpleNamespace

import pytest

from vla_ros.cli import demo
from vla_ros.parameters import ParameterError
from vla_ros.tasks.seeds import TRAINING


class FakeGraph:
    """A graph whose one episode ends as `success` says."""

    success = True

    def __init__(self, policy: str) -> None:
        self.policy = policy

    def __enter__(self) -> FakeGraph:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def episode(self, seed: int, task: str, instruction: str, say: object) -> SimpleNamespace:
        return SimpleNamespace(said="done", seconds=3.25, success=self.success, measures={"seed": seed})


def run(monkeypatch: pytest.MonkeyPatch, seed: int) -> int:
    monkeypatch.setitem(sys.modules, "vla_ros.lab.evaluation.through_graph", SimpleNamespace(GraphEvaluation=FakeGraph))  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "vla_ros.ros.client", SimpleNamespace(Unreachable=RuntimeError))  # type: ignore[arg-type]
    return demo.run(argparse.Namespace(policy="classical", seed=seed))


@pytest.mark.parametrize("success", [True, False])
def test_the_simulator_decides_the_exit_code(
    success: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeGraph, "success", success)
    assert run(monkeypatch, 3) == (0 if success else 1)
    printed = capsys.readouterr().out
    assert "planner: done, after 3.2 s" in printed
    assert f"simulator: {'done' if success else 'not done'} {{'seed': 3}}" in printed


@pytest.mark.parametrize("seed", [-1, TRAINING])
def test_a_scene_of_training_is_refused(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match=f"--seed {seed}: scenes are numbered from 0"):
        run(monkeypatch, seed)
