"""The vision backbones: timm's vision transformers without their last layer, side by side.

Source: openvla/openvla (c8f03f4), prismatic/extern/hf/modeling_prismatic.py (`PrismaticVisionBackbone`): patch tokens of the
layer before the last, without norm, class and register tokens; DINOv2 sees channels 0..2 and SigLIP channels 3..5, and their
features are put side by side. FiLM: moojink/openvla-oft (213c5ff), prismatic/models/film_vit_wrapper.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import timm
import torch
from torch import Tensor, nn

from vla_ros.parameters import ParameterError


class FilmBlock(nn.Module):
    """A layer of a vision transformer that the instruction modulates: x (1 + γ) + β between attention and MLP.

    γ and β are linear in the mean of the instruction's word embeddings.

    Attributes:
        instruction: (1, words' width) that mean; set before each call.
    """

    def __init__(self, block: Any, width: int, language_width: int) -> None:
        super().__init__()
        self.block = block
        self.scale = nn.Linear(language_width, width)
        self.shift = nn.Linear(language_width, width)
        self.instruction: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, tokens, width)."""
        assert self.instruction is not None  # VisionBackbone sets it
        block = self.block
        x = x + block.drop_path1(block.ls1(block.attn(block.norm1(x))))
        x = x * (1 + self.scale(self.instruction)[:, None, :]) + self.shift(self.instruction)[:, None, :]
        return x + block.drop_path2(block.ls2(block.mlp(block.norm2(x))))


class VisionBackbone(nn.Module):
    """One or two vision transformers on the same image.

    Args:
        names: timm's names; of two the first is `featurizer`, the second `fused_featurizer`, as the weights name them.
        activations: of the MLPs.
        size: rows and columns of the image, pixel.
        language_width: of the word embeddings, for FiLM; 0: without FiLM.

    Attributes:
        width: of one patch's features.
        patches: number of patches of one image.
    """

    def __init__(self, names: Sequence[str], activations: Sequence[str], size: int, language_width: int = 0) -> None:
        super().__init__()
        towers = [_tower(name, act, size, language_width) for name, act in zip(names, activations, strict=True)]
        self.featurizer = towers[0]
        self.fused_featurizer = towers[1] if len(towers) > 1 else None
        self.width: int = sum(tower.embed_dim for tower in towers)
        counts = {tower.patch_embed.num_patches for tower in towers}
        if len(counts) > 1:
            raise ParameterError(
                f"timm_model_ids: {' and '.join(names)} cut an image into different numbers of patches"
            )
        self.patches: int = counts.pop()

    def towers(self) -> list[Any]:
        """Return the vision transformers in the order of the channels."""
        return [tower for tower in (self.featurizer, self.fused_featurizer) if tower is not None]

    def forward(self, pixels: Tensor, instruction: Tensor | None = None) -> Tensor:
        """Return (B, images * patches, width).

        Args:
            pixels: (B, images * towers * 3, size, size): of each image first what the first backbone sees.
            instruction: (B, words' width) mean of the word embeddings, for FiLM.
        """
        towers = self.towers()
        for tower in towers:
            for block in tower.blocks:
                if isinstance(block, FilmBlock):
                    block.instruction = instruction
        of_image = []
        for image in pixels.split(3 * len(towers), dim=1):
            views = image.split(3, dim=1)
            features = [_patches(tower, view) for tower, view in zip(towers, views, strict=True)]
            of_image.append(torch.cat(features, dim=2))
        return torch.cat(of_image, dim=1)


def _tower(name: str, activation: str, size: int, language_width: int) -> Any:
    """Make a vision transformer without what comes after the layer before the last."""
    try:
        tower: Any = timm.create_model(name, pretrained=False, num_classes=0, img_size=size, act_layer=activation)
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        raise ParameterError(f"timm_model_ids: timm {timm.__version__} cannot make {name!r}: {error}") from None
    blocks = list(getattr(tower, "blocks", ()))[:-1]
    if not blocks or not hasattr(tower, "attn_pool"):
        raise ParameterError(f"timm_model_ids: {name!r} is no vision transformer")
    if language_width:
        blocks = [FilmBlock(block, tower.embed_dim, language_width) for block in blocks]
    tower.blocks = nn.Sequential(*blocks)
    tower.norm, tower.fc_norm, tower.head, tower.attn_pool = nn.Identity(), nn.Identity(), nn.Identity(), None
    return tower


def _patches(tower: Any, view: Tensor) -> Tensor:
    features: Tensor = tower.forward_intermediates(
        view, indices=1, norm=False, output_fmt="NLC", intermediates_only=True
    )[0]
    return features
