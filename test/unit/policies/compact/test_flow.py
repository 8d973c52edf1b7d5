# ruff: noqa: E402 what is imported below needs torch
"""Flow velocity of a chunk."""

import pytest

torch = pytest.importorskip("torch")

from test.unit.policies.compact.tiny import SIZES
from vla_ros.policies.compact.flow import Flow
from vla_ros.policies.compact.model_config import ACTION_DIM, MOTION_FEATURES, WAYPOINT_FEATURES


def test_the_velocity_depends_on_waypoints_latents_and_on_which_rows_are_committed():
    torch.manual_seed(0)
    flow = Flow(SIZES).eval()
    noisy, time = torch.randn(1, SIZES.rows, ACTION_DIM), torch.full((1, SIZES.rows), 0.5)
    waypoints, motion = torch.randn(1, SIZES.waypoints, WAYPOINT_FEATURES), torch.randn(1, MOTION_FEATURES)
    latents = torch.randn(1, SIZES.latents, SIZES.latent)
    velocity = flow(noisy, time, waypoints, motion, latents)
    assert velocity.shape == noisy.shape
    committed = time.clone()
    committed[:, :3] = 1.0
    for changed in (
        flow(noisy, committed, waypoints, motion, latents),
        flow(noisy, time, 2 * waypoints, motion, latents),
        flow(noisy, time, waypoints, motion, 0 * latents),
    ):
        assert not torch.allclose(changed[:, 3:], velocity[:, 3:])
