"""What is known of the step, its things, the arm and the pictures becomes the plan: latent tokens and what they say."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Block, Perceptron
from vla_ros.policies.compact.model_config import ANCHORS, OBJECT, ROLES, STATE, SUBTASKS, WAYPOINT, Sizes


class Fusion(nn.Module):
    """Transformer over one token each for step, x, y and arm, picture tokens and latent tokens."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim, self.waypoints, self.patches = sizes.dim, sizes.waypoints, sizes.patches
        self.step = nn.Linear(dim, dim)
        self.object = nn.ModuleDict({role: Perceptron(OBJECT, dim, dim) for role in ROLES})
        self.state = Perceptron(STATE, dim, dim)
        self.patch = nn.Linear(sizes.channels[2], dim)
        self.place = nn.Parameter(0.02 * torch.randn(len(sizes.cameras) * sizes.patches**2, dim))
        self.latents = nn.Parameter(torch.randn(sizes.latents, dim))
        self.blocks = nn.ModuleList(Block(dim, sizes.heads) for _ in range(sizes.fusion_layers))
        self.norm = nn.LayerNorm(dim)
        self.latent = nn.Linear(dim, sizes.latent)
        self.subtask = nn.Linear(dim, len(SUBTASKS))
        self.progress = nn.Linear(dim, 1)
        self.ahead = nn.Parameter(torch.randn(len(SUBTASKS), dim))
        self.wide = nn.Linear(dim, dim)
        self.way = Perceptron(dim, 2 * dim, sizes.waypoints * (WAYPOINT + len(ANCHORS)))

    def forward(
        self, step: Tensor, objects: Tensor, state: Tensor, coarse: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return latents (B, latents, latent), logits of subtasks (B, S) and progress (B,), and for every subtask the
        waypoints (B, S, waypoints, WAYPOINT) and the logits of their anchors (B, S, waypoints, ANCHORS).

        Args:
            step: (B, dim) of `Language`. objects: (B, 2, OBJECT). state: (B, STATE). coarse: of `Vision`, of each camera.
        """
        patches = [
            nn.functional.adaptive_avg_pool2d(features, self.patches).flatten(2).transpose(1, 2) for features in coarse
        ]
        known = [self.object[role](objects[:, index]) for index, role in enumerate(ROLES)]
        tokens = torch.cat(
            [
                self.latents.expand(len(step), -1, -1),
                torch.stack([self.step(step), *known, self.state(state)], 1),
                self.patch(torch.cat(patches, 1)) + self.place,
            ],
            1,
        )
        for block in self.blocks:
            tokens = block(tokens)
        latents = self.norm(tokens[:, : self.latents.shape[0]])
        head = latents[:, 0]
        way = self.way(nn.functional.gelu(self.wide(head)[:, None] + self.ahead))
        way = way.view(len(step), len(SUBTASKS), self.waypoints, -1)
        return (
            self.latent(latents),
            self.subtask(head),
            self.progress(head)[:, 0],
            way[..., :WAYPOINT],
            way[..., WAYPOINT:],
        )
