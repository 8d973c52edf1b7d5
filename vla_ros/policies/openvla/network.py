"""The network: vision backbones, projector and Llama, and its two ways to answer.

Source: openvla/openvla (c8f03f4), prismatic/extern/hf/modeling_prismatic.py: the projected patches stand behind the first
token (BOS) and before the rest of the prompt; no token is masked as padding. OFT: the same file of moojink/openvla-oft
(213c5ff); its language model attends in both directions at every position, pictures and words included (issues 27 and 89
there; commit bc339d9 of moojink/transformers-openvla-oft).
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

from vla_ros.policies.openvla.folder_config import FolderConfig
from vla_ros.policies.openvla.heads import ActionHead, ProprioProjector
from vla_ros.policies.openvla.vision import VisionBackbone

CACHE = "cache" if "cache" in inspect.signature(LlamaForCausalLM.forward).parameters else "past_key_values"
"""Its keyword: transformers renamed it within version 5."""
STOP = 2
"""Token behind the actions in OFT's training: </s>."""


class Projector(nn.Module):
    """Vision features to word embeddings: two linear layers for one backbone, three for two, with GELU between them."""

    def __init__(self, vision: int, hidden: int, fused: bool) -> None:
        super().__init__()
        first = 4 * vision if fused else hidden
        self.fc1 = nn.Linear(vision, first)
        self.fc2 = nn.Linear(first, hidden)
        self.fc3 = nn.Linear(hidden, hidden) if fused else None

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, patches, hidden)."""
        projected: Tensor = self.fc2(functional.gelu(self.fc1(features)))
        return projected if self.fc3 is None else self.fc3(functional.gelu(projected))


class OpenVlaNetwork(nn.Module):
    """Images and words to action tokens, or to the hidden states behind them.

    Args:
        config: sizes.
        film: whether the instruction modulates vision.

    Attributes:
        action_head, proprio_projector: OFT's parts; None where the checkpoint has none.
    """

    def __init__(self, config: FolderConfig, film: bool = False) -> None:
        super().__init__()
        hidden = int(config.text["hidden_size"])
        self.vision_backbone = VisionBackbone(
            config.backbones, config.activations, config.images[0].size, hidden if film else 0
        )
        self.projector = Projector(self.vision_backbone.width, hidden, len(config.backbones) > 1)
        self.language_model: Any = LlamaForCausalLM(LlamaConfig(**config.text))
        self.action_head: ActionHead | None = None
        self.proprio_projector: ProprioProjector | None = None
        self.film = film

    def prompt_embeddings(self, ids: Tensor, pixels: Tensor, proprio: Tensor | None = None) -> Tensor:
        """Return (1, L + images * patches, hidden): BOS, patches, the state where there is one, the other words.

        Args:
            ids: (1, L) of the prompt. pixels: see `VisionBackbone`. proprio: (1, values) in [-1, 1].
        """
        words = self.language_model.get_input_embeddings()(ids)
        instruction = None
        if self.film:  # the mean runs over BOS, the prompt and the stop token behind the actions
            stop = self.language_model.get_input_embeddings()(torch.full_like(ids[:, :1], STOP))
            instruction = torch.cat([words, stop], dim=1).mean(dim=1)
        seen = self.projector(self.vision_backbone(pixels, instruction))
        if self.proprio_projector is not None and proprio is not None:
            seen = torch.cat([seen, self.proprio_projector(proprio)], dim=1)
        return torch.cat([words[:, :1], seen, words[:, 1:]], dim=1)

    @torch.inference_mode()
    def next_tokens(self, ids: Tensor, pixels: Tensor, count: int) -> Sequence[int]:
        """Return the `count` most probable tokens behind the prompt, one after the other (OpenVLA)."""
        embeddings = self.prompt_embeddings(ids, pixels)
        past = {CACHE: DynamicCache(config=self.language_model.config), "use_cache": True, "logits_to_keep": 1}
        tokens = [self.language_model(inputs_embeds=embeddings, **past).logits[:, -1].argmax(dim=-1)]
        while len(tokens) < count:
            tokens.append(self.language_model(input_ids=tokens[-1][:, None], **past).logits[:, -1].argmax(dim=-1))
        return [int(token) for token in torch.cat(tokens).tolist()]

    @torch.inference_mode()
    def action_states(self, ids: Tensor, pixels: Tensor, proprio: Tensor | None, count: int) -> Tensor:
        """Return (1, count, hidden): the states that predict `count` action tokens at once (OFT).

        The prompt is followed by `count` embeddings of zeros and the stop token. The state at a position predicts the
        token behind it, so the first of them is at the prompt's last token.
        """
        prompt = self.prompt_embeddings(ids, pixels, proprio)
        stop = self.language_model.get_input_embeddings()(torch.full_like(ids[:, :1], STOP))
        empty = prompt.new_zeros(1, count, prompt.shape[2])
        embeddings = torch.cat([prompt, empty, stop], dim=1)
        length = embeddings.shape[1]
        everything = prompt.new_zeros(1, 1, length, length)  # added to the scores: nothing is masked
        states: Tensor = self.language_model.model(
            inputs_embeds=embeddings, attention_mask=everything, use_cache=False
        ).last_hidden_state
        first = prompt.shape[1] - 1
        return states[:, first : first + count]

    @torch.inference_mode()
    def tokens_at(self, states: Tensor) -> Sequence[int]:
        """Return the most probable token of each state (1, count, hidden)."""
        return [int(token) for token in self.language_model.lm_head(states).argmax(dim=-1)[0].tolist()]
