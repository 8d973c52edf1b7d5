"""What goes over the wire: packed, and padded again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vla_ros.policies.contract import Instruction, Plan, PlanState
from vla_ros.policies.split.plan_tensors import (
    IMAGE,
    VALID,
    PlanMismatch,
    checked_cache,
    checked_features,
    packed,
    padded,
)

MASK = np.array([True, True, False, True, False])
CACHE = np.arange(2 * 2 * 1 * 5 * 3, dtype=np.float32).reshape(2, 2, 1, 5, 3) + 1.0


def plan(**changes: object) -> Plan:
    base = Plan(1, Instruction(1, "x"), PlanState.ACTIVE, kind="kv_cache", plan_id=7)
    base = replace(base, data=packed(CACHE, MASK), token_mask=MASK.astype(np.uint8))
    return replace(base, **changes)  # type: ignore[arg-type]


def test_padding_does_not_travel_and_comes_back_as_zeros() -> None:
    data = packed(CACHE, MASK)
    assert data.shape == (2, 2, 1, 3, 3)
    again = padded(data, MASK)
    assert again.dtype == CACHE.dtype
    assert (again[:, :, :, MASK] == CACHE[:, :, :, MASK]).all()
    assert not again[:, :, :, ~MASK].any()


def test_without_padding_nothing_is_copied() -> None:
    assert packed(CACHE, np.ones(5, bool)) is CACHE


def test_golden_bytes() -> None:
    """The layout is fixed: layers, keys before values, heads, tokens, head_dim; little-endian."""
    data = packed(CACHE, MASK)
    assert data[1, 0, 0].tolist() == [[31.0, 32.0, 33.0], [34.0, 35.0, 36.0], [40.0, 41.0, 42.0]]
    assert data[1, 1, 0, 2].tolist() == [55.0, 56.0, 57.0]
    assert data.astype("<f4").tobytes()[:12].hex() == "0000803f0000004000004040"


def test_a_cache_is_checked() -> None:
    assert checked_cache(plan(), 2, 1, 3).tolist() == MASK.tolist()
    for wrong in (
        plan(kind="features"),
        plan(data=CACHE),
        plan(data=packed(CACHE, MASK).astype(np.float64)),
        plan(token_mask=np.ones(5, np.uint8)),
        plan(token_mask=np.zeros(5, np.uint8), data=np.zeros((2, 2, 1, 0, 3), np.float32)),
    ):
        with pytest.raises(PlanMismatch, match="^plan 7: "):
            checked_cache(wrong, 2, 1, 3)
    with pytest.raises(PlanMismatch, match="same checkpoint and options"):
        checked_cache(plan(), 3, 1, 3)


def test_features_bring_two_masks() -> None:
    mask = np.array([VALID | IMAGE, VALID, 0], np.uint8)
    features = plan(kind="features", data=np.ones((3, 4), np.float32), token_mask=mask)
    valid, image = checked_features(features, 4)
    assert valid.tolist() == [True, True, False]
    assert image.tolist() == [True, False, False]
    with pytest.raises(PlanMismatch):
        checked_features(features, 5)
    with pytest.raises(PlanMismatch):
        checked_features(replace(features, token_mask=mask[:2]), 4)
