"""Weights of a half in 8 or 4 bits, by torchao: the linear layers alone, activations stay as they are."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from torch import nn

from vla_ros.parameters import ParameterError

GROUP_SIZE = 32
"""Columns that share a scale in 4 bits."""


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from torchao.quantization import Int8WeightOnlyConfig, IntxWeightOnlyConfig, quantize_
            from torchao.quantization.granularity import PerGroup
    except ImportError as error:
        raise ParameterError(f"{key}: {weights} needs torchao (pip install torchao): {error}") from None
    import torch

    def chosen(module: nn.Module, name: str) -> bool:
        wanted = isinstance(module, nn.Linear) and needs(name + ".weight") and not module.weight.is_meta
        return wanted and (weights == "int8" or module.in_features % GROUP_SIZE == 0)

    config = (
        Int8WeightOnlyConfig()
        if weights == "int8"
        else IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=PerGroup(GROUP_SIZE))
    )
    quantize_(model, config, filter_fn=chosen)
