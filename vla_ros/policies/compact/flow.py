"""System 1: a flow-matching transformer. Flow time runs from 0 (noise) to 1 (action); the velocity is action - noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Block, Perceptron
from vla_ros.policies.compact.model_config import ACTION, AHEAD, MOVING, Sizes


class Flow(nn.Module):
    """Velocity of a noisy chunk, given where the plan leads and how the arm moves."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.action = nn.Linear(ACTION, dim)
        self.row = nn.Parameter(0.02 * torch.randn(sizes.rows, dim))
        self.time = Perceptron(3, dim, dim)
        self.way = Perceptron(AHEAD, dim, dim)
        self.ahead = nn.Parameter(0.02 * torch.randn(sizes.waypoints, dim))
        self.moving = Perceptron(MOVING, dim, dim)
        self.latent = nn.Linear(sizes.latent, dim)
        self.order = nn.Parameter(0.02 * torch.randn(sizes.latents, dim))
        self.blocks = nn.ModuleList(Block(dim, sizes.heads) for _ in range(sizes.flow_layers))
        self.norm = nn.LayerNorm(dim)
        self.velocity = nn.Linear(dim, ACTION)

    def forward(self, noisy: Tensor, time: Tensor, way: Tensor, moving: Tensor, latents: Tensor) -> Tensor:
        """Return the velocity (B, rows, ACTION).

        Args:
            noisy: (B, rows, ACTION) normalised actions on their way. time: (B, rows) flow time of each: 1 is committed.
            way: (B, waypoints, AHEAD). moving: (B, MOVING). latents: (B, latents, latent) of System 2, or zeros.
        """
        clock = torch.stack([time, torch.cos(torch.pi * time), (time == 1).to(time.dtype)], -1)
        tokens = torch.cat(
            [
                self.action(noisy) + self.row + self.time(clock),
                self.way(way) + self.ahead,
                self.moving(moving)[:, None],
                self.latent(latents) + self.order,
            ],
            1,
        )
        for block in self.blocks:
            tokens = block(tokens)
        result: Tensor = self.velocity(self.norm(tokens[:, : noisy.shape[1]]))
        return result
