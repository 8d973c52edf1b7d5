"""Refines a detection on a crop of higher resolution: position, height, yaw, and whether it is the object asked for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Perceptron, Residual
from vla_ros.policies.compact.model_config import Sizes
from vla_ros.policies.compact.projection import REFINED_DIM

CHANNELS = (16, 32, 48)


class Refiner(nn.Module):
    """Convolutions over a crop of the image, conditioned on the query: a crop may show several objects."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        first, second, third = CHANNELS
        self.stem = nn.Conv2d(3, first, 5, stride=2, padding=2)
        self.down1 = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.condition = nn.Linear(sizes.key, 2 * second)
        self.residual1 = Residual(second)
        self.down2 = nn.Conv2d(second, third, 3, stride=2, padding=1)
        self.residual2 = Residual(third)
        self.head = Perceptron(third * (sizes.crop // 8) ** 2 + sizes.key + 3, 96, REFINED_DIM)

    def forward(self, crops: Tensor, queries: Tensor, centres: Tensor) -> Tensor:
        """Return (N, REFINED_DIM): see `projection.REFINED_DIM`.

        Args:
            crops: (N, crop, crop, 3) rgb, 0..255.
            queries: (N, key).
            centres: (N, 3) centres of the crops in the image, -1..1, and the height that grounding predicts, dm.
        """
        gelu = nn.functional.gelu
        image = crops.permute(0, 3, 1, 2).to(queries.dtype) / 127.5 - 1
        scale, offset = self.condition(queries)[..., None, None].chunk(2, 1)
        fine = self.residual1(gelu(self.down1(gelu(self.stem(image)))) * (1 + scale) + offset)
        coarse = self.residual2(gelu(self.down2(fine)))
        refined: Tensor = self.head(torch.cat([coarse.flatten(1), queries, centres], -1))
        return refined
