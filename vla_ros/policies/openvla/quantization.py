"""Weights in fewer bits: the linear layers of the language model, 6.5 of OpenVLA's 7.5 thousand million parameters.

int8: torchao, one scale for each output, symmetric. nf4: bitsandbytes, 4-bit normal floats with a scale for each 64 weights
(Dettmers et al., "QLoRA", arXiv 2305.14314). Sums are computed in bfloat16. docs/openvla.md has error, memory and speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from vla_ros.parameters import ParameterError

DTYPES: Mapping[str, torch.dtype] = {
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "int8": torch.bfloat16,
    "nf4": torch.bfloat16,
}
"""`weights` → what everything else is kept and computed in."""
LAYERS = "language_model.model.layers."
NF4_BLOCK = 64
"""Weights that share a scale."""


def quantized(network: nn.Module, name: str, weights: str) -> None:
    """Quantise the linear layer whose weight, `name`, has just been loaded, if it is one of the language model's.

    Raises:
        ParameterError: the library that does it is not installed.
    """
    where, _, attribute = name.rpartition(".")
    if weights not in ("int8", "nf4") or attribute != "weight" or not name.startswith(LAYERS):
        return
    linear: Any = network.get_submodule(where)
    if not isinstance(linear, nn.Linear):
        return
    if weights == "int8":
        _int8(linear)
    elif linear.in_features % NF4_BLOCK == 0:  # bitsandbytes 0.50 mixes up the scales of other widths on the CPU
        parent, _, own = where.rpartition(".")
        setattr(network.get_submodule(parent), own, _nf4(linear))


def _int8(linear: nn.Linear) -> None:
    try:
        from torchao.quantization import Int8WeightOnlyConfig, quantize_
    except ImportError:
        raise ParameterError("weights: int8 needs torchao: pip install torchao") from None
    quantize_(nn.Sequential(linear), Int8WeightOnlyConfig())


def _nf4(linear: nn.Linear) -> nn.Module:
    try:
        from bitsandbytes.nn import Linear4bit, Params4bit
    except ImportError:
        raise ParameterError("weights: nf4 needs bitsandbytes: pip install bitsandbytes") from None
    device = linear.weight.device
    small: Any = Linear4bit(
        linear.in_features,
        linear.out_features,
        bias=linear.bias is not None,
        compute_dtype=torch.bfloat16,
        quant_type="nf4",
        device="meta",
    )
    small.weight = Params4bit(linear.weight.data.cpu(), requires_grad=False, quant_type="nf4")
    if linear.bias is not None:
        small.bias = linear.bias
    return small.to(device)
