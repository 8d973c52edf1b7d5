"""The whole network as one transformers model, for training: `CompactModel.from_pretrained(folder)`.

Where this module is imported, `AutoModel.from_pretrained(folder)` gives the same.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from vla_ros.policies.compact.checkpoint import STORED_TENSORS
from vla_ros.policies.compact.flow import Flow
from vla_ros.policies.compact.fusion import Fusion
from vla_ros.policies.compact.language import Language
from vla_ros.policies.compact.model_config import MODEL_TYPE, Sizes, as_mapping, sizes_of
from vla_ros.policies.compact.refiner import Refiner
from vla_ros.policies.compact.vision import Grounding, Vision

KEY_MAPPING = {f"^{re.escape(stored)}": name for name, stored in STORED_TENSORS.items()}


class CompactConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """`Sizes` in the form that transformers reads and writes."""

    model_type = MODEL_TYPE

    def __init__(self, **values: Any) -> None:
        own = as_mapping(sizes_of(values))
        own["channels"], own["cameras"] = list(own["channels"]), list(own["cameras"])
        super().__init__(**{**values, **own})

    @property
    def sizes(self) -> Sizes:
        return sizes_of(vars(self))


class CompactModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """language, vision, grounding, refiner and fusion are System 2, flow is System 1.

    tool_query: the query for the tool, which no instruction names.
    """

    config_class = CompactConfig
    _no_split_modules = ["Block"]  # noqa: RUF012 as transformers reads it

    def __init__(self, config: CompactConfig) -> None:
        super().__init__(config)
        sizes = config.sizes
        self.language, self.vision, self.grounding = Language(sizes), Vision(sizes), Grounding(sizes)
        self.refiner, self.fusion, self.flow = Refiner(sizes), Fusion(sizes), Flow(sizes)
        self.tool_query = torch.nn.Parameter(torch.randn(sizes.key))
        self.post_init()  # type: ignore[no-untyped-call]

    @classmethod
    def from_pretrained(cls, folder: Any, *args: Any, **kwargs: Any) -> Any:
        """Load a checkpoint; its tensors have the names of STORED_TENSORS."""
        return super().from_pretrained(folder, *args, **{"key_mapping": KEY_MAPPING, **kwargs})

    def _init_weights(self, module: torch.nn.Module) -> None:
        """Each layer has initialised itself."""

    def locate(self, images: dict[str, Tensor], queries: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Search images for what the queries ask for.

        Args:
            images: for each camera (B, H, W, 3) uint8.
            queries: (B, Q, key).

        Returns:
            For each camera: scores (B, Q + 1, cells + 1), heights (B, Q + 1), dm, and coarse features; the tool is the
            last of Q + 1.
        """
        queries = self.with_tool(queries)
        scores, heights, coarse = [], [], []
        for camera in self.config.sizes.cameras:
            image = images[camera].permute(0, 3, 1, 2).to(queries.dtype) / 127.5 - 1
            keys, fine, middle, features = self.vision(image)
            score, height = self.grounding(camera, keys, fine, middle, queries)
            scores.append(score)
            heights.append(height)
            coarse.append(features)
        return scores, heights, coarse

    def with_tool(self, queries: Tensor) -> Tensor:
        """Return (B, Q + 1, key): the queries (B, Q, key), then that of the tool."""
        return torch.cat([queries, self.tool_query.expand(len(queries), 1, -1)], 1)

    def refine(self, crops: Tensor, queries: Tensor, centres: Tensor) -> Tensor:
        """Return (B, Q, REFINED_DIM) of crops.

        Args:
            crops: (B, Q, crop, crop, 3) uint8.
            queries: (B, Q, key).
            centres: (B, Q, 3), see `Refiner`.
        """
        refined: Tensor = self.refiner(crops.flatten(0, 1), queries.flatten(0, 1), centres.flatten(0, 1))
        return refined.view(*crops.shape[:2], -1)


AutoConfig.register(MODEL_TYPE, CompactConfig)
AutoModel.register(CompactConfig, CompactModel)
