"""Buffers that no checkpoint holds: frequencies of rotary embeddings, positions of patches, scales of embeddings.

A model built without memory lacks them. They are computed again on the CPU as the class itself does, in float32, and then
rounded to the type that the class would have given them: LeRobot rounds them to bfloat16 with the rest of the model, and
what is not rounded alike differs in the third digit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Remake = Callable[[nn.Module, Tensor], Tensor]


def remake(model: nn.Module, device: str, needs: Callable[[str], bool]) -> None:
    """Compute all buffers on "meta" of which `needs` says so."""
    for name, buffer in list(model.named_buffers()):
        if not buffer.is_meta or not needs(name):
            continue
        owner, _, attribute = name.rpartition(".")
        module = model.get_submodule(owner)
        made = REMADE[attribute](module, buffer) if attribute in REMADE else None
        if made is None:
            raise NotImplementedError(
                f"{type(module).__name__}.{attribute} is no buffer that this version knows to remake"
            )
        setattr(module, attribute, made.to(buffer.dtype).to(device))


def _rotary(module: nn.Module, buffer: Tensor) -> Tensor:
    """The frequencies of a rotary embedding, by making one anew without a device."""
    if hasattr(module, "config"):
        fresh = type(module)(module.config)
    else:  # of vision transformers
        dim, theta = getattr(module, "dim", 2 * buffer.shape[0]), getattr(module, "theta", 10000.0)
        fresh = type(module)(dim, theta)
    return fresh.inv_freq.clone()


def _positions(module: nn.Module, buffer: Tensor) -> Tensor:
    return torch.arange(buffer.shape[-1]).expand(buffer.shape).clone()


def _embed_scale(module: nn.Module, buffer: Tensor) -> Tensor:
    scale = getattr(module, "scalar_embed_scale", None)
    assert isinstance(scale, float)
    return torch.tensor(scale)


def _sinusoid(module: nn.Module, buffer: Tensor) -> Tensor:
    made: Tensor = module.compute_freqs(module.config)  # type: ignore[operator]
    return made


REMADE: dict[str, Remake] = {
    "inv_freq": _rotary,
    "original_inv_freq": _rotary,
    "position_ids": _positions,
    "embed_scale": _embed_scale,
    "sinusoid_freq": _sinusoid,
}
"""Name of the buffer → how it is computed."""
