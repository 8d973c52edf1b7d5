"""The pickles for LeRobot's server are what pickle would write of its own classes, which need not be installed."""

from __future__ import annotations

import pickle
import pickletools
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from vla_ros.policies.remote.lerobot_pickle import remote_policy_config, timed_observation

MODULE = "lerobot.async_inference.helpers"


@dataclass
class TimedObservation:
    timestamp: float
    timestep: int
    observation: dict[str, Any]
    must_go: bool = False


@dataclass
class RemotePolicyConfig:
    policy_type: str
    pretrained_name_or_path: str
    lerobot_features: dict[str, Any]
    actions_per_chunk: int
    device: str = "cpu"
    rename_map: dict[str, str] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def lerobot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of that name with classes of these fields."""
    module = ModuleType(MODULE)
    for cls in (TimedObservation, RemotePolicyConfig):
        setattr(module, cls.__name__, cls)
    for name in ("lerobot", "lerobot.async_inference"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, MODULE, module)


def test_an_observation_is_read_as_the_servers_own_class() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    found = pickle.loads(timed_observation(12.5, 7, {"front": image, "joint1.pos": 0.25, "task": "go"}))
    assert type(found) is TimedObservation
    assert (found.timestamp, found.timestep, found.must_go) == (12.5, 7, True)
    assert np.array_equal(found.observation["front"], image)
    assert (found.observation["joint1.pos"], found.observation["task"]) == (0.25, "go")


def test_the_instructions_are_read_as_the_servers_own_class() -> None:
    features = {"observation.state": {"dtype": "float32", "shape": (2,), "names": ["a.pos", "b.pos"]}}
    found = pickle.loads(remote_policy_config("act", "/models/act", features, 20, "cuda"))
    assert found == RemotePolicyConfig("act", "/models/act", features, 20, "cuda", {})


def test_nothing_but_that_class_and_numpy_is_named() -> None:
    data = timed_observation(1.0, 1, {"front": np.zeros((2, 2, 3), np.uint8), "task": "go"})
    named = {argument for opcode, argument, _ in pickletools.genops(data) if opcode.name == "GLOBAL"}
    assert named == {
        f"{MODULE} TimedObservation",
        "numpy._core.multiarray _reconstruct",
        "numpy ndarray",
        "numpy dtype",
    }
