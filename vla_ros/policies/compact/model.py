"""The whole network as one transformers model, for training: `CompactModel.from_pretrained(folder)`.

Where this module is imported, `AutoModel.from_pretrained(folder)` gives the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from vla_ros.policies.compact.flow import Flow
from vla_ros.policies.compact.fusion import Fusion
from vla_ros.policies.compact.language import Language
from vla_ros.policies.compact.model_config import MODEL_TYPE, Sizes, as_mapping, sizes_of
from vla_ros.policies.compact.refiner import Fovea
from vla_ros.policies.compact.vision import Grounding, Vision


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
    """language, vision, grounding, fovea and fusion are System 2, flow is System 1.

    tool: a query that no words make: where the tool is seen.
    """

    config_class = CompactConfig
    _no_split_modules = ["Block"]  # noqa: RUF012 as transformers reads it

    def __init__(self, config: CompactConfig) -> None:
        super().__init__(config)
        sizes = config.sizes
        self.language, self.vision, self.grounding = Language(sizes), Vision(sizes), Grounding(sizes)
        self.fovea, self.fusion, self.flow = Fovea(sizes), Fusion(sizes), Flow(sizes)
        self.tool = torch.nn.Parameter(torch.randn(sizes.key))
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: torch.nn.Module) -> None:
        """Each layer has initialised itself."""

    def look(self, images: dict[str, Tensor], queries: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Return, each per camera, the scores of all places, the height there (dm), and the coarse features.

        Args:
            images: per camera (B, H, W, 3) uint8. queries: (B, Q, key). The tool is the last of Q + 1 in the answers.
        """
        queries = self.with_tool(queries)
        scores, heights, coarse = [], [], []
        for camera in self.config.sizes.cameras:
            image = images[camera].permute(0, 3, 1, 2).to(queries.dtype) / 127.5 - 1
            keys, fine, middle, features = self.vision(image)
            found, height = self.grounding(camera, keys, fine, middle, queries)
            scores.append(found)
            heights.append(height)
            coarse.append(features)
        return scores, heights, coarse

    def with_tool(self, queries: Tensor) -> Tensor:
        """Return (B, Q + 1, key): the queries (B, Q, key), then that of the tool."""
        return torch.cat([queries, self.tool.expand(len(queries), 1, -1)], 1)

    def fixate(self, patches: Tensor, queries: Tensor, spots: Tensor) -> Tensor:
        """Return (B, Q, SEEN) of a second look.

        Args:
            patches: (B, Q, fovea, fovea, 3) uint8. queries: (B, Q, key). spots: (B, Q, 3) see Fovea.
        """
        known: Tensor = self.fovea(patches.flatten(0, 1), queries.flatten(0, 1), spots.flatten(0, 1))
        return known.view(*patches.shape[:2], -1)


AutoConfig.register(MODEL_TYPE, CompactConfig)
AutoModel.register(CompactConfig, CompactModel)
