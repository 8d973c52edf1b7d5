"""A model for tests of processes: what it is told in words, it does."""

from __future__ import annotations

import os
import time

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoint_contract import CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.chunk_model import Observation


class ToyModel:
    """Counts its inferences since the last reset."""

    def __init__(self, gain: float, load_s: float = 0.0) -> None:
        print("text on stdout is no answer")
        if gain < 0.0:
            raise ParameterError(f"toy.gain: must not be negative,\n got {gain}")
        if gain == 0.0:
            raise KeyError("no gain")
        time.sleep(load_s)
        self.checkpoint = f"toy{gain:g}"
        spec = VectorSpec(("a", "b"), 2, {"mean": np.array([0.1, 0.2]), "std": np.array([1.0, np.nan])})
        self.contract = CheckpointContract(
            "toy", "nowhere", (CameraSlot("front", 0, 0, False),), None, spec, 3, {"action": "mean_std"}
        )
        self._gain, self._count = gain, 0

    def reset(self) -> None:
        self._count = 0

    def infer(self, observation: Observation) -> Array:
        self._count += 1
        words = observation.instruction.split()
        if words[:1] == ["die"]:
            os.kill(os.getpid(), 9)
        if words[:1] == ["exit"]:
            os._exit(3)
        if words[:1] == ["fail"]:
            raise ValueError("asked to\nfail")
        if words[:1] == ["sleep"]:
            time.sleep(float(words[1]))
        rows = np.zeros((3, 2))
        rows[:, 0] = self._gain * float(observation.images["front"].mean()) if observation.images else 0.0
        rows[:, 1] = self._count
        return rows
