"""Weights of a half in 8 or 4 bits, by torchao: the linear layers alone, activations stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from vla_ros.parameters import ParameterError

GROUP_SIZE = 32
"""Columns that share a scale in 4 bits."""
BFLOAT16_BASED = ("bfloat16", "int4")
"""Types of weights with which the layers compute in bfloat16; int4 times float32 takes torchao many times as long."""


def quantize(model: nn.Module, weights: str, needs: Callable[[str], bool], key: str) -> None:
    """Store the linear layers of one half in int8 (one scale per row) or int4 (one per GROUP_SIZE columns of a row).

    Args:
        model: loaded.
        weights: "int8" or "int4"; anything else changes nothing.
        needs: tells the names of this half.
        key: parameter, for error texts.

    Raises:
        ParameterError: torchao is missing.

    Source: torchao `quantize_`, weight-only configurations.
    """
    if weights not in ("int8", "int4"):
        return
    try:
        config = _configuration(weights, on_gpu=any(parameter.is_cuda for parameter in model.parameters()))
        from torchao.quantization import quantize_
    except ImportError as error:
        raise ParameterError(f"{key}: {weights} needs torchao (pip install torchao==0.17.0): {error}") from None

    def chosen(module: nn.Module, name: str) -> bool:
        wanted = isinstance(module, nn.Linear) and needs(name + ".weight") and not module.weight.is_meta
        fits = wanted and module.in_features % GROUP_SIZE == 0 and module.weight.dtype == torch.bfloat16
        return wanted if weights == "int8" else fits

    quantize_(model, config, filter_fn=chosen)


def _configuration(weights: str, on_gpu: bool) -> Any:
    from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig

    if weights == "int8":
        return Int8WeightOnlyConfig(version=2)
    if on_gpu:
        return Int4WeightOnlyConfig(group_size=GROUP_SIZE)
    from torchao.prototype.quantization.int4 import Int4WeightOnlyOpaqueTensorConfig

    return Int4WeightOnlyOpaqueTensorConfig(group_size=GROUP_SIZE)
