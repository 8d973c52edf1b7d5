"""What the classical policy sees is where it is, within millimetres."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies.classical.detection import classify
from vla_ros.policies.classical.segmentation import segment_image
from vla_ros.sim.model import intrinsics
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation

SIZE = 256


@pytest.fixture(scope="module")
def errors() -> list[tuple[str, str, float, float]]:
    """Shape, shape seen, distance (m) and turn (rad) between what is seen and what is, over several scenes."""
    found = []
    simulation = Simulation(0)
    cameras = RenderProcess(simulation.xml, SIZE)
    for seed in range(8):
        simulation.reset(seed)
        cameras.scene(simulation.xml)
        cameras.request(0, simulation.data.qpos)
        drawn = cameras.poll(30.0)
        assert drawn is not None
        camera = PinholeCamera(intrinsics("front", SIZE, SIZE), simulation.camera_pose("front"))
        truth = simulation.truth()
        segments = segment_image(drawn[1]["front"])
        for thing in simulation.scene.objects:
            (segment,) = [segment for segment in segments if segment.colour == (thing.colour or thing.shape)]
            seen = classify(segment, camera, 0.0).fitted
            away = float(np.hypot(*(seen.p_base - truth[thing.name].p_base)[:2]))
            turn = math.remainder(seen.yaw - thing.yaw, math.pi / 2) if thing.shape == seen.shape == "cube" else 0.0
            found.append((thing.shape, seen.shape, away, abs(turn)))
    cameras.close()
    return found


def test_things_are_seen_where_they_are(errors: list[tuple[str, str, float, float]]) -> None:
    assert len(errors) >= 40
    assert max(away for _, _, away, _ in errors) < 0.006
    assert float(np.mean([away for _, _, away, _ in errors])) < 0.003


def test_shapes_are_told_apart(errors: list[tuple[str, str, float, float]]) -> None:
    assert sum(shape != seen for shape, seen, _, _ in errors) <= 1


def test_cubes_are_seen_as_they_are_turned(errors: list[tuple[str, str, float, float]]) -> None:
    assert max(turn for shape, seen, _, turn in errors if shape == seen == "cube") < 0.2
