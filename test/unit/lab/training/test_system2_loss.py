# ruff: noqa: E402 what is imported below needs torch
"""Targets of System 2."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from test.unit.lab.training.tiny import TINY
from vla_ros.lab.training import scene_images, system2_loss
from vla_ros.policies.compact.model_config import SIDES, SUBTASKS


def test_the_target_is_a_gaussian_or_nowhere():
    target = system2_loss.cell_target(torch.tensor([[3.0, 4.0, 1.0], [0.0, 0.0, 0.0]]), 16)
    assert torch.allclose(target.sum(-1), torch.ones(2))
    assert int(target[0].argmax()) == 4 * 16 + 3
    assert float(target[1, -1]) == 1.0


@pytest.mark.parametrize(("side", "angle"), [("left", np.pi / 2), ("right", -np.pi / 2), ("none", 0.0)])
def test_waypoints_of_a_push_are_relative_to_its_direction(side, angle):
    record = np.zeros(1, scene_images.layout(TINY))
    record["parsed_steps"][0, 0] = (3, SIDES.index(side), 1, 1, 0, 0)
    record["subtask"], record["start"], record["objects"][0, 1, :3] = (
        SUBTASKS.index("push {x}"),
        (0.4, 0, 0),
        (0.6, 0, 0),
    )
    ahead = np.array([np.cos(angle), np.sin(angle)])
    record["waypoints"][0, :, :2], record["waypoints"][0, :, 3:5] = 0.8 * ahead, (np.cos(2 * angle), np.sin(2 * angle))
    rows = system2_loss.waypoints_in_push_frame(record)[0]
    np.testing.assert_allclose(rows[0, :2], [0.8, 0.0], atol=1e-6)
    np.testing.assert_allclose(rows[0, 3:5], [1.0, 0.0], atol=1e-6)
