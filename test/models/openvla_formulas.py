"""OpenVLA and OFT once more, as plain formulas over the published tensors: what the implementation is compared with.

Nothing of vla_ros is used. Llama is written out (RMS norm, rotary positions, attention, gated MLP), so that neither
transformers' cache nor its masks decide; the vision transformers are timm's, whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from test.models.openvla_folder import MEANS, SIZE, STDS, TEXT, TOWERS

HEADS = int(TEXT["num_attention_heads"])  # type: ignore[call-overload]
LAYERS = int(TEXT["num_hidden_layers"])  # type: ignore[call-overload]


def pixels(image: np.ndarray) -> Tensor:
    """Return (1, 6, SIZE, SIZE): stretched, first in DINOv2's colours, then in SigLIP's."""
    square = np.asarray(Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BICUBIC), np.float32) / 255
    planes = [(square - np.float32(mean)) / np.float32(std) for mean, std in zip(MEANS, STDS, strict=True)]
    return torch.from_numpy(np.concatenate([plane.transpose(2, 0, 1) for plane in planes]))[None]


def whole_towers(weights: Mapping[str, Tensor]) -> list[Any]:
    """Return timm's two whole vision transformers with the published weights."""
    made = []
    for name, published in zip(TOWERS, ("featurizer", "fused_featurizer"), strict=True):
        tower: Any = timm.create_model(name, pretrained=False, num_classes=0, img_size=SIZE).eval()
        prefix = f"vision_backbone.{published}."
        state = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        tower.load_state_dict({key.replace("scale_factor", "gamma"): value for key, value in state.items()})
        made.append(tower)
    return made


def features(weights: Mapping[str, Tensor], seen: Tensor) -> Tensor:
    """Return (1, patches, width): patch tokens of the layer before the last of both, side by side."""
    found = []
    for tower, view in zip(whole_towers(weights), seen.split(3, dim=1), strict=True):
        found.append(tower.get_intermediate_layers(view, n={len(tower.blocks) - 2})[0])
    return torch.cat(found, dim=2)


def projected(weights: Mapping[str, Tensor], vision: Tensor) -> Tensor:
    """Return (1, patches, hidden): three linear layers with GELU between."""
    for number in (1, 2, 3):
        vision = vision @ weights[f"projector.fc{number}.weight"].T + weights[f"projector.fc{number}.bias"]
        if number < 3:
            vision = functional.gelu(vision)
    return vision


def llama(weights: Mapping[str, Tensor], x: Tensor, causal: bool, theta: float = 10000.0) -> Tensor:
    """Return (1, S, hidden): the states after the last norm of all positions."""
    length, width = x.shape[1:]
    size = width // HEADS
    angles = torch.arange(length)[:, None] * theta ** (-torch.arange(0, size, 2) / size)
    cosine, sine = torch.cat([angles, angles], 1).cos(), torch.cat([angles, angles], 1).sin()
    hidden = torch.ones(length, length).triu(1).bool() if causal else torch.zeros(length, length).bool()

    def weight(layer: int, name: str) -> Tensor:
        return weights[f"language_model.model.layers.{layer}.{name}.weight"]

    def norm(values: Tensor, gain: Tensor) -> Tensor:
        return values / (values.square().mean(-1, keepdim=True) + 1e-6).sqrt() * gain

    def turned(values: Tensor) -> Tensor:
        first, second = values.chunk(2, dim=-1)
        return values * cosine + torch.cat([-second, first], dim=-1) * sine

    for layer in range(LAYERS):
        y = norm(x, weight(layer, "input_layernorm"))
        q, k, v = (
            (y @ weight(layer, f"self_attn.{name}_proj").T).view(1, length, HEADS, size).transpose(1, 2)
            for name in "qkv"
        )
        scores = (turned(q) @ turned(k).transpose(2, 3)) / math.sqrt(size)
        mixed = scores.masked_fill(hidden, -math.inf).softmax(-1) @ v
        x = x + mixed.transpose(1, 2).reshape(1, length, width) @ weight(layer, "self_attn.o_proj").T
        y = norm(x, weight(layer, "post_attention_layernorm"))
        gated = functional.silu(y @ weight(layer, "mlp.gate_proj").T) * (y @ weight(layer, "mlp.up_proj").T)
        x = x + gated @ weight(layer, "mlp.down_proj").T
    return norm(x, weights["language_model.model.norm.weight"])


def words(weights: Mapping[str, Tensor], ids: Sequence[int]) -> Tensor:
    """Return (1, L, hidden) embeddings."""
    return weights["language_model.model.embed_tokens.weight"][list(ids)][None]


def answered(weights: Mapping[str, Tensor], ids: Sequence[int], seen: Tensor, count: int, **options: Any) -> list[int]:
    """Return `count` tokens, greedily, each from a new pass over everything."""
    patches = projected(weights, features(weights, seen))
    given = list(ids)
    for _ in range(count):
        embedded = words(weights, given)
        x = torch.cat([embedded[:, :1], patches, embedded[:, 1:]], dim=1)
        state = llama(weights, x, causal=True, **options)[0, -1]
        given.append(int((state @ weights["language_model.lm_head.weight"].T).argmax()))
    return given[len(ids) :]


def oft_states(
    weights: Mapping[str, Tensor], ids: Sequence[int], patches: Tensor, proprio: Tensor | None, count: int
) -> Tensor:
    """Return (count, hidden): the states at the last word of the prompt and at all but the last empty position."""
    embedded = words(weights, ids)
    seen = [patches] if proprio is None else [patches, proprio[None, None]]
    empty = torch.zeros(1, count, patches.shape[2])
    x = torch.cat([embedded[:, :1], *seen, embedded[:, 1:], empty, words(weights, [2])], dim=1)
    states = llama(weights, x, causal=False)[0]
    return states[-count - 2 : -2]


def l1_head(head: Mapping[str, Tensor], states: Tensor, action: int) -> Tensor:
    """Return (rows, action)."""

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ head[f"module.model.{name}.weight"].T + head[f"module.model.{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * head[f"module.model.{name}.weight"] + head[f"module.model.{name}.bias"]

    x = states.reshape(len(states) // action, -1)
    x = linear(norm(x, "layer_norm1"), "fc1").relu()
    for block in range(2):
        name = f"mlp_resnet_blocks.{block}.ffn"
        x = x + linear(norm(x, f"{name}.0"), f"{name}.1").relu()
    return linear(norm(x, "layer_norm2"), "fc2")
