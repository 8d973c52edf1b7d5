# ruff: noqa: E402 what is imported below needs torch
"""The plan from step, objects, arm and images."""

import pytest

torch = pytest.importorskip("torch")

from test.unit.policies.compact.tiny import SIZES
from vla_ros.policies.compact.fusion import Fusion
from vla_ros.policies.compact.model_config import ANCHORS, OBJECT_FEATURES, STATE_FEATURES, SUBTASKS, WAYPOINT_DIM


def test_every_subtask_has_waypoints_of_its_own():
    torch.manual_seed(0)
    coarse = [torch.randn(1, SIZES.channels[2], 4, 4)]
    given = (torch.randn(1, SIZES.dim), torch.randn(1, 2, OBJECT_FEATURES), torch.randn(1, STATE_FEATURES), coarse)
    latents, subtask, progress, waypoints, anchors = Fusion(SIZES).eval()(*given)
    assert latents.shape == (1, SIZES.latents, SIZES.latent)
    assert subtask.shape == (1, len(SUBTASKS)) and progress.shape == (1,)
    assert waypoints.shape == (1, len(SUBTASKS), SIZES.waypoints, WAYPOINT_DIM)
    assert anchors.shape == (*waypoints.shape[:3], len(ANCHORS))
    assert len(torch.unique(waypoints[0].flatten(1), dim=0)) == len(SUBTASKS)
