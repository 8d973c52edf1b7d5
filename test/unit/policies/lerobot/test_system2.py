"""System 2 of `lerobot`, as far as it needs no torch: what is refused before a model is loaded, and where it is loaded."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from test.unit.policies.lerobot.folders import write_folder
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.chunk_model import Observation
from vla_ros.policies.lerobot import system2 as module
from vla_ros.policies.lerobot.folder import LeRobotFolder
from vla_ros.policies.lerobot.system1 import LeRobotSystem1
from vla_ros.policies.lerobot.system2 import LeRobotSystem2
from vla_ros.policies.lerobot_parameters import LeRobotParameters
from vla_ros.policies.registry import Robot
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES, cameras=("front", "wrist"))


def parameters(folder: Path | str, **options: Any) -> LeRobotParameters:
    return from_mapping(LeRobotParameters, {"checkpoint": str(folder), "binding": {"rate_hz": 10.0}, **options}, "")


def refused(options: LeRobotParameters, robot: Robot = ROBOT) -> str:
    with pytest.raises(ParameterError) as error:
        LeRobotSystem2(robot, options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace the loading of models; return what they were to be loaded with."""
    calls: list[dict[str, Any]] = []

    class Model:
        checkpoint = "abc"

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            calls.append({"arguments": arguments, **keywords})

        def reset(self) -> None: ...

        def infer(self, observation: Observation) -> Any:
            return np.tile(observation.state, (3, 1))

    monkeypatch.setattr(module, "ProcessModel", Model)
    return calls


def test_the_halves_know_each_other(tmp_path: Path, unloaded: list[dict[str, Any]]) -> None:
    options = parameters(write_folder(tmp_path / "p"), policy_python=sys.executable)
    assert LeRobotSystem1(ROBOT, options).checkpoint == LeRobotSystem2(ROBOT, options).checkpoint
    other = parameters(tmp_path / "p", policy_python=sys.executable, seed=3)
    assert LeRobotSystem1(ROBOT, options).checkpoint != LeRobotSystem1(ROBOT, other).checkpoint


def test_another_python_is_given_all_that_the_model_takes(tmp_path: Path, unloaded: list[dict[str, Any]]) -> None:
    folder = write_folder(tmp_path / "run" / "checkpoints" / "last" / "pretrained_model")
    options = parameters(tmp_path / "run", policy_python=sys.executable, config=["a=b"], timeout_s=4.0, threads=2)
    LeRobotSystem2(ROBOT, options)
    (call,) = unloaded
    target, python, given = call["arguments"]
    assert (target, python, call["key"]) == (module.MODEL, sys.executable, "lerobot.policy_python")
    assert (call["timeout_s"], call["load_timeout_s"]) == (4.0, 600.0)
    assert given["folder"] == str(folder)
    assert (given["rate_hz"], given["config"], given["threads"]) == (10.0, ["a=b"], 2)


def test_no_checkpoint_is_asked_for() -> None:
    assert refused(parameters("")).startswith("lerobot.checkpoint: which policy?")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "model.safetensors"),
        (lambda folder: (folder / "policy_postprocessor.json").unlink(), "policy_postprocessor.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_before_anything_is_loaded(
    tmp_path: Path, unloaded: list[dict[str, Any]], spoil: Callable[[Path], Any], text: str
) -> None:
    spoil(write_folder(tmp_path / "p"))
    assert text in refused(parameters(tmp_path / "p", policy_python=sys.executable))
    assert unloaded == []


def test_a_folder_that_does_not_fit_the_robot_is_refused_before_anything_is_loaded(
    tmp_path: Path, unloaded: list[dict[str, Any]]
) -> None:
    folder = write_folder(tmp_path / "p", cameras=("observation.images.overhead",))
    assert "overhead" in refused(parameters(folder, policy_python=sys.executable))
    few = Robot(urdf(), JOINT_NAMES[:6], cameras=("front",))
    assert refused(parameters(write_folder(tmp_path / "q"), policy_python=sys.executable), few)
    assert unloaded == []


def test_without_lerobot_here_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    said = refused(parameters(write_folder(tmp_path / "p")))
    assert "this Python has no lerobot" in said
    assert "make setup PYTHON=python3.12 MODELS=lerobot" in said
    assert "lerobot.policy_python" in said


def test_a_python_without_lerobot_is_told_by_name(tmp_path: Path) -> None:
    """A child that cannot import what it needs says so; here the module of the model is asked for without torch."""
    (tmp_path / "python").write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys\nclass No:\n def find_spec(self, name, *_):\n"
        '  if name.split(".")[0] in ("torch", "lerobot"): raise ModuleNotFoundError(f"No module named {name!r}")\n'
        'sys.meta_path.insert(0, No())\nimport runpy\nrunpy.run_path(sys.argv[1], run_name="__main__")\' "$@"\n'
    )
    (tmp_path / "python").chmod(0o755)
    said = refused(parameters(write_folder(tmp_path / "p"), policy_python=str(tmp_path / "python")))
    assert said.startswith(f"lerobot.policy_python: {tmp_path / 'python'}: ModuleNotFoundError: No module named")


def test_the_contract_is_the_folders(tmp_path: Path) -> None:
    folder = LeRobotFolder(write_folder(tmp_path / "p"))
    assert folder.contract().family == "act"
    assert folder.faults == ()
