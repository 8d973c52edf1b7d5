"""Key-value caches of torch as the arrays of a plan, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vla_ros.policies.contract import Plan
from vla_ros.policies.latents import BFLOAT16, dtype_of
from vla_ros.policies.split.plan_tensors import checked_cache, padded

Cache = list[tuple[Tensor, Tensor]]
"""Of each layer keys and values, (1, heads, tokens, head_dim)."""


def to_numpy(tensor: Tensor, wire_dtype: str) -> NDArray[np.generic]:
    """Return an array of the type on the wire; numpy has no bfloat16 of its own. Raises ValueError without ml_dtypes."""
    if wire_dtype != "auto":
        tensor = tensor.to(getattr(torch, wire_dtype))
    tensor = tensor.detach().contiguous().cpu()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(dtype_of(BFLOAT16))
    array: NDArray[np.generic] = tensor.numpy()
    return array


def to_tensor(array: NDArray[np.generic]) -> Tensor:
    """Return a tensor with a copy of an array."""
    if array.dtype.name == BFLOAT16:
        return torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    return torch.from_numpy(array.copy())


def cache_array(layers: Sequence[tuple[Tensor, Tensor]], mask: Tensor, wire_dtype: str) -> NDArray[np.generic]:
    """Return (layers, 2, heads, valid, head_dim). mask: (tokens,) bool, True for valid tokens. Raises as `to_numpy`."""
    keys = layers[0][0]
    valid = torch.nonzero(mask.to(keys.device)).squeeze(1)
    data = torch.empty((len(layers), 2, keys.shape[1], len(valid), keys.shape[3]), dtype=keys.dtype, device=keys.device)
    for number, pair in enumerate(layers):
        for which, tensor in enumerate(pair):
            torch.index_select(tensor[0], 1, valid, out=data[number, which])
    return to_numpy(data, wire_dtype)


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
