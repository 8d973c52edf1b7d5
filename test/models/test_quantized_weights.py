"""Weights in 8 and 4 bits: smaller, and how far the result is off."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("lerobot")
pytest.importorskip("torchao")

from test.models.split_cases import CASES, frames, plan_of, system1, system2
from test.models.test_split import flowed


@pytest.mark.parametrize(("weights", "largest"), [("int8", 0.05), ("int4", 0.5)])
def test_each_half_can_be_quantized(weights: str, largest: float, tmp_path: Path) -> None:
    case = CASES["smolvla-float32"]
    folder = case.save(tmp_path / "policy")
    two, one = system2(case, folder), system1(case, folder)
    small_two, small_one = (make(case, folder, weights=weights) for make in (system2, system1))
    assert small_one.checkpoint == one.checkpoint == small_two.checkpoint  # a half knows the other whatever its type is
    plan = plan_of(two, frames())
    whole = flowed(one, plan)
    for error in (
        float((flowed(small_one, plan) - whole).abs().max()),
        float((flowed(one, plan_of(small_two, frames())) - whole).abs().max()),
    ):
        assert 0.0 < error < largest
