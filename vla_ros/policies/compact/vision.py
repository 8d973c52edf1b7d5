"""Images to features, and queries to positions in images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Perceptron, Residual
from vla_ros.policies.compact.model_config import Sizes


class Vision(nn.Module):
    """Convolutional pyramid with the same weights for every camera."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        first, second, third = sizes.channels
        self.stem = nn.Conv2d(3, first, 5, stride=2, padding=2)
        self.down1 = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.residual1 = Residual(second)
        self.down2 = nn.Conv2d(second, third, 3, stride=2, padding=1)
        self.residual2 = Residual(third)
        self.up2 = nn.Conv2d(third, 4 * second, 1)
        self.mix2 = Residual(second)
        self.up1 = nn.Conv2d(second, 4 * sizes.key, 1)
        self.lateral1 = nn.Conv2d(first, sizes.key, 1)
        self.mix1 = nn.Conv2d(sizes.key, sizes.key, 1)
        self.keys = nn.Conv2d(sizes.key, sizes.key, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return features of an image.

        Args:
            image: (B, 3, H, W), rgb in -1..1.

        Returns:
            keys, fine: (B, key, H/2, W/2). middle: (B, channels[1], H/4, W/4). coarse: (B, channels[2], H/8, W/8).
        """
        gelu, shuffle = nn.functional.gelu, nn.functional.pixel_shuffle
        one = gelu(self.stem(image))
        two = self.residual1(gelu(self.down1(one)))
        coarse = self.residual2(gelu(self.down2(two)))
        middle = self.mix2(two + shuffle(self.up2(coarse), 2))
        fine = gelu(self.lateral1(one) + shuffle(self.up1(middle), 2))
        fine = gelu(self.mix1(fine))
        return self.keys(fine), fine, middle, coarse


class Grounding(nn.Module):
    """Scores every position of an image for every query, by its key, and predicts the height there."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.scale = sizes.key**-0.5
        width = 2 * sizes.key + sizes.channels[1]
        self.nowhere = nn.ModuleDict({camera: nn.Linear(sizes.key, 1) for camera in sizes.cameras})
        self.height = nn.ModuleDict({camera: Perceptron(width, 64, 1) for camera in sizes.cameras})

    def forward(
        self, camera: str, keys: Tensor, fine: Tensor, middle: Tensor, queries: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return scores (B, Q, cells + 1) of every cell and of "nowhere", and the height of the object (B, Q), dm.

        Args:
            camera: of Sizes.cameras.
            keys, fine, middle: of `Vision`.
            queries: (B, Q, key), x and y first.
        """
        batch, length = keys.shape[:2]
        scores = torch.einsum("brk,bkp->brp", queries, keys.reshape(batch, length, -1)) * self.scale
        share = scores.softmax(-1)
        rows, columns = middle.shape[2:]
        halved = share.view(batch * queries.shape[1], 1, 2 * rows, 2 * columns)
        halved = 4 * nn.functional.avg_pool2d(halved, 2).view(batch, queries.shape[1], -1)
        pooled = torch.cat(
            [
                torch.einsum("brp,bkp->brk", share, fine.reshape(batch, fine.shape[1], -1)),
                torch.einsum("brp,bkp->brk", halved, middle.reshape(batch, middle.shape[1], -1)),
                queries,
            ],
            -1,
        )
        return torch.cat([scores, self.nowhere[camera](queries)], -1), self.height[camera](pooled)[..., 0]
