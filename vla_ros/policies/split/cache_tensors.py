"""Key-value caches of torch as the arrays of a plan, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vla_ros.policies.contract import Plan
from vla_ros.policies.latents import BFLOAT16, NewArray, dtype_of
from vla_ros.policies.split.plan_tensors import checked_cache, padded

Cache = list[tuple[Tensor, Tensor]]
"""Of each layer keys and values, (1, heads, tokens, head_dim)."""


def to_numpy(tensor: Tensor, wire_dtype: str, new_array: NewArray) -> NDArray[np.generic]:
    """Return a copy of the type on the wire; numpy has no bfloat16 of its own. Raises ValueError without ml_dtypes."""
    array = new_array(tensor.shape, _wire(tensor, wire_dtype))
    on_memory(array).copy_(tensor.detach())
    return array


def on_memory(array: NDArray[np.generic]) -> Tensor:
    """Return a tensor on the memory of an array."""
    if array.dtype.name == BFLOAT16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _wire(tensor: Tensor, wire_dtype: str) -> np.dtype[Any]:
    return dtype_of(str(tensor.dtype).removeprefix("torch.") if wire_dtype == "auto" else wire_dtype)


def to_tensor(array: NDArray[np.generic]) -> Tensor:
    """Return a tensor with a copy of an array."""
    return on_memory(array.copy())


def cache_array(
    layers: Sequence[tuple[Tensor, Tensor]], mask: Tensor, wire_dtype: str, new_array: NewArray
) -> NDArray[np.generic]:
    """Return (layers, 2, heads, valid, head_dim). mask: (tokens,) bool, True for valid tokens. Raises as `to_numpy`."""
    keys = layers[0][0]
    valid = torch.nonzero(mask.to(keys.device)).squeeze(1)
    shape = (len(layers), 2, keys.shape[1], len(valid), keys.shape[3])
    array = new_array(shape, _wire(keys, wire_dtype))
    target = on_memory(array)
    # From another device everything goes in one copy.
    data = target if keys.device == target.device else torch.empty(shape, dtype=keys.dtype, device=keys.device)
    for number, pair in enumerate(layers):
        for which, tensor in enumerate(pair):
            data[number, which].copy_(torch.index_select(tensor[0], 1, valid))
    if data is not target:
        target.copy_(data)
    return array


def cache_of(
    plan: Plan, layers: int, heads: int, head_dim: int, dtype: torch.dtype, device: str
) -> tuple[Cache, Tensor]:
    """Return the cache of a plan with zeros for padding, and its mask (1, tokens) bool.

    Raises:
        PlanMismatch: it is not what this model reads.
    """
    mask = checked_cache(plan, layers, heads, head_dim)
    data = to_tensor(padded(plan.data, mask)).to(device=device, dtype=dtype)
    # Of memory of its own each: where a tensor begins decides the order in which it is summed.
    cache = [(layer[0][None].clone(), layer[1][None].clone()) for layer in data]
    return cache, torch.from_numpy(mask.copy())[None].to(device)
