"""A second, sharper look at where something was found: its exact place, height and yaw, and whether it is what was meant."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Perceptron, Residual
from vla_ros.policies.compact.model_config import Sizes
from vla_ros.policies.compact.projection import SEEN

CHANNELS = (16, 32, 48)


class Fovea(nn.Module):
    """Convolutions over a cut-out of the picture; the words' query tells them which of the things in it is meant."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        first, second, third = CHANNELS
        self.stem = nn.Conv2d(3, first, 5, stride=2, padding=2)
        self.down1 = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.asked = nn.Linear(sizes.key, 2 * second)
        self.residual1 = Residual(second)
        self.down2 = nn.Conv2d(second, third, 3, stride=2, padding=1)
        self.residual2 = Residual(third)
        self.about = Perceptron(third * (sizes.fovea // 8) ** 2 + sizes.key + 3, 96, SEEN)

    def forward(self, patches: Tensor, queries: Tensor, spots: Tensor) -> Tensor:
        """Return (N, SEEN): see `sight.SEEN`.

        Args:
            patches: (N, fovea, fovea, 3) rgb 0..255. queries: (N, key). spots: (N, 3) where in the picture, -1..1,
                and the height that the first look said, dm.
        """
        gelu = nn.functional.gelu
        image = patches.permute(0, 3, 1, 2).to(queries.dtype) / 127.5 - 1
        scale, offset = self.asked(queries)[..., None, None].chunk(2, 1)
        fine = self.residual1(gelu(self.down1(gelu(self.stem(image)))) * (1 + scale) + offset)
        coarse = self.residual2(gelu(self.down2(fine)))
        known: Tensor = self.about(torch.cat([coarse.flatten(1), queries, spots], -1))
        return known
