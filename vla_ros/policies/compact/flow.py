"""System 1: a flow-matching transformer. Flow time runs from 0 (noise) to 1 (action); the velocity is action - noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Block, Perceptron
from vla_ros.policies.compact.model_config import ACTION_DIM, MOTION_FEATURES, WAYPOINT_FEATURES, Sizes


class Flow(nn.Module):
    """Flow velocity of a noisy chunk, given the latents and waypoints of the plan and the motion of the hand."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.action = nn.Linear(ACTION_DIM, dim)
        self.row_position = nn.Parameter(0.02 * torch.randn(sizes.rows, dim))
        self.time = Perceptron(3, dim, dim)
        self.waypoint = Perceptron(WAYPOINT_FEATURES, dim, dim)
        self.waypoint_position = nn.Parameter(0.02 * torch.randn(sizes.waypoints, dim))
        self.motion = Perceptron(MOTION_FEATURES, dim, dim)
        self.latent = nn.Linear(sizes.latent, dim)
        self.latent_position = nn.Parameter(0.02 * torch.randn(sizes.latents, dim))
        self.blocks = nn.ModuleList(Block(dim, sizes.heads) for _ in range(sizes.flow_layers))
        self.norm = nn.LayerNorm(dim)
        self.velocity = nn.Linear(dim, ACTION_DIM)

    def forward(self, noisy: Tensor, time: Tensor, waypoints: Tensor, motion: Tensor, latents: Tensor) -> Tensor:
        """Return the flow velocity (B, rows, ACTION_DIM).

        Args:
            noisy: (B, rows, ACTION_DIM) normalised actions at flow time `time`.
            time: (B, rows); 1 for committed rows.
            waypoints: (B, waypoints, WAYPOINT_FEATURES).
            motion: (B, MOTION_FEATURES).
            latents: (B, latents, latent) of System 2, or zeros.
        """
        clock = torch.stack([time, torch.cos(torch.pi * time), (time == 1).to(time.dtype)], -1)
        tokens = torch.cat(
            [
                self.action(noisy) + self.row_position + self.time(clock),
                self.waypoint(waypoints) + self.waypoint_position,
                self.motion(motion)[:, None],
                self.latent(latents) + self.latent_position,
            ],
            1,
        )
        for block in self.blocks:
            tokens = block(tokens)
        result: Tensor = self.velocity(self.norm(tokens[:, : noisy.shape[1]]))
        return result
