"""Step, objects, arm and images become the plan: latent tokens, subtask, waypoints and progress."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Block, Perceptron
from vla_ros.policies.compact.model_config import (
    ANCHORS,
    OBJECT_FEATURES,
    ROLES,
    STATE_FEATURES,
    SUBTASKS,
    WAYPOINT_DIM,
    Sizes,
)


class Fusion(nn.Module):
    """Transformer over one token each for step, x, y and arm, image tokens and latent tokens."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim, self.waypoints, self.patches = sizes.dim, sizes.waypoints, sizes.patches
        self.step = nn.Linear(dim, dim)
        self.object = nn.ModuleDict({role: Perceptron(OBJECT_FEATURES, dim, dim) for role in ROLES})
        self.state = Perceptron(STATE_FEATURES, dim, dim)
        self.image_token = nn.Linear(sizes.channels[2], dim)
        self.image_position = nn.Parameter(0.02 * torch.randn(len(sizes.cameras) * sizes.patches**2, dim))
        self.latents = nn.Parameter(torch.randn(sizes.latents, dim))
        self.blocks = nn.ModuleList(Block(dim, sizes.heads) for _ in range(sizes.fusion_layers))
        self.norm = nn.LayerNorm(dim)
        self.latent = nn.Linear(dim, sizes.latent)
        self.subtask = nn.Linear(dim, len(SUBTASKS))
        self.progress = nn.Linear(dim, 1)
        self.subtask_query = nn.Parameter(torch.randn(len(SUBTASKS), dim))
        self.subtask_hidden = nn.Linear(dim, dim)
        self.waypoint_head = Perceptron(dim, 2 * dim, sizes.waypoints * (WAYPOINT_DIM + len(ANCHORS)))

    def forward(
        self, step: Tensor, objects: Tensor, state: Tensor, coarse: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the plan.

        Args:
            step: (B, dim) of `Language`.
            objects: (B, 2, OBJECT_FEATURES).
            state: (B, STATE_FEATURES).
            coarse: of `Vision`, for each camera.

        Returns:
            latents: (B, latents, latent). subtask: (B, S) logits. progress: (B,) logit. waypoints: (B, S, waypoints,
            WAYPOINT_DIM) for every subtask. anchors: (B, S, waypoints, ANCHORS) their logits.
        """
        patches = [
            nn.functional.adaptive_avg_pool2d(features, self.patches).flatten(2).transpose(1, 2) for features in coarse
        ]
        object_tokens = [self.object[role](objects[:, index]) for index, role in enumerate(ROLES)]
        tokens = torch.cat(
            [
                self.latents.expand(len(step), -1, -1),
                torch.stack([self.step(step), *object_tokens, self.state(state)], 1),
                self.image_token(torch.cat(patches, 1)) + self.image_position,
            ],
            1,
        )
        for block in self.blocks:
            tokens = block(tokens)
        latents = self.norm(tokens[:, : self.latents.shape[0]])
        head = latents[:, 0]
        waypoints = self.waypoint_head(nn.functional.gelu(self.subtask_hidden(head)[:, None] + self.subtask_query))
        waypoints = waypoints.view(len(step), len(SUBTASKS), self.waypoints, -1)
        return (
            self.latent(latents),
            self.subtask(head),
            self.progress(head)[:, 0],
            waypoints[..., :WAYPOINT_DIM],
            waypoints[..., WAYPOINT_DIM:],
        )
