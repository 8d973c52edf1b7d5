"""What goes from System 2 to System 1: the key-value cache of the valid tokens, or the features of all tokens.

A key-value cache goes as one array (layers, 2, kv_heads, valid tokens, head_dim), keys before values; `token_mask` has one
entry for each token of the prompt, 0 for padding. System 1 puts zeros where the padding was: padded tokens are masked, so
that what stands there has the weight 0 exactly, and with the length of the whole model its sums have the same order.

Features go as one array (tokens, width) with all tokens, because nothing masks padding before the action head's own
self-attention. `token_mask` is a sum of VALID and IMAGE there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.contract import Plan
from vla_ros.policies.latents import BFLOAT16

VALID, IMAGE = 1, 2
"""Bits of an entry of `token_mask`: the token is no padding; it stands for a part of an image."""
WIRE_DTYPES = ("auto", "float32", "bfloat16")


class PlanMismatch(Exception):
    """A plan cannot be what this model's System 2 sends. The text says what differs."""


def packed(keys_and_values: NDArray[np.generic], mask: NDArray[np.bool_]) -> NDArray[np.generic]:
    """Return (layers, 2, heads, valid, head_dim) of (layers, 2, heads, tokens, head_dim); mask: (tokens,)."""
    return keys_and_values if mask.all() else np.ascontiguousarray(keys_and_values[:, :, :, mask])


def padded(data: NDArray[np.generic], mask: NDArray[np.bool_]) -> NDArray[np.generic]:
    """Return (layers, 2, heads, tokens, head_dim) with zeros for the padding: the inverse of `packed`, in new memory."""
    layers, both, heads, _, head_dim = data.shape
    full = np.zeros((layers, both, heads, len(mask), head_dim), data.dtype)
    full[:, :, :, mask] = data
    return full


def checked_cache(plan: Plan, layers: int, heads: int, head_dim: int) -> NDArray[np.bool_]:
    """Return the mask (tokens,) of a plan with a key-value cache.

    Raises:
        PlanMismatch: kind, dtype or shape differ from what this model reads.
    """
    _check(plan, "kv_cache")
    mask = np.asarray(plan.token_mask, bool)
    wanted = (layers, 2, heads, int(mask.sum()), head_dim)
    if plan.data.shape != wanted or not mask.any():
        raise PlanMismatch(
            f"plan {plan.plan_id}: a cache of shape {plan.data.shape} with {mask.sum()} valid tokens; this model reads "
            f"({layers}, 2, {heads}, valid tokens, {head_dim}): start both halves with the same checkpoint and options"
        )
    return mask


def checked_features(plan: Plan, width: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (valid, image), each (tokens,), of a plan with features; raises as `checked_cache`."""
    _check(plan, "features")
    if plan.data.shape != (len(plan.token_mask), width) or not len(plan.token_mask):
        raise PlanMismatch(
            f"plan {plan.plan_id}: features of shape {plan.data.shape} with {len(plan.token_mask)} tokens; this model reads "
            f"(tokens, {width}): start both halves with the same checkpoint and options"
        )
    return (plan.token_mask & VALID) > 0, (plan.token_mask & IMAGE) > 0


def _check(plan: Plan, kind: str) -> None:
    if plan.kind != kind:
        raise PlanMismatch(f"plan {plan.plan_id}: of kind {plan.kind!r}, this model reads {kind!r}")
    if plan.data.dtype.name not in ("float32", BFLOAT16, "float16"):
        raise PlanMismatch(f"plan {plan.plan_id}: data of type {plan.data.dtype}, this model reads float32 or bfloat16")
