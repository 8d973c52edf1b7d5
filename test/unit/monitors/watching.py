"""What the tests of monitors show them."""

from __future__ import annotations

import math

import numpy as np

from vla_ros.monitors.monitor_parameters import MonitorsParameters
from vla_ros.monitors.monitors import Monitors
from vla_ros.monitors.training_statistics import TrainingStatistics
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraView
from vla_ros.policies.contract import Instruction, Plan, PlanState

JOINTS = ("shoulder", "elbow")
S = 1_000_000_000
STATS = {
    "observation.images.front": {"mean": [[[0.5]], [[0.5]], [[0.4]]], "std": [[[0.2]], [[0.2]], [[0.2]]]},
    "observation.state": {"min": [-1.0, 0.0], "max": [1.0, 2.0], "mean": [0, 1], "std": [0.5, 0.5]},
}
Q = np.array([0.2, 1.0])


def monitors(trained: TrainingStatistics | None = None, **changes: object) -> Monitors:
    return Monitors(from_mapping(MonitorsParameters, changes, "monitors."), JOINTS, trained)


def plan(subtask: str = "grasp", end: float = 0.0, progress: float = math.nan, **changes: object) -> Plan:
    path = np.array([[0.0, 0, 0, 0, 0, 0, 1], [end, 0, 0, 0, 0, 0, 1]])
    options = {"state": PlanState.ACTIVE, "instruction": Instruction(1, "do it"), **changes}
    return Plan(0, subtask=subtask, path=path, progress=progress, **options)  # type: ignore[arg-type]


def image(level: float, spread: float = 0.2) -> np.ndarray:
    noise = np.random.default_rng(1).normal(level, spread, (64, 64, 3))
    return np.clip(noise * 255, 0, 255).astype(np.uint8)


def see(watching: Monitors, seconds: int, front: np.ndarray, q: np.ndarray = Q) -> None:
    for i in range(10 * seconds):
        watching.on_observation(i * S // 10, {"front": CameraView(front)}, q)


def move(watching: Monitors, amplitude: float, hz: float, seconds: float = 4.0) -> None:
    for i in range(round(25 * seconds)):
        q = amplitude * math.sin(2 * math.pi * hz * i / 25)
        watching.on_motion(i * S // 25, True, JOINTS, [0.3, q])
