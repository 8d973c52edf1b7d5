"""`vla-ros bench policy`: its inputs, its table and its page; what is not installed is named."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vla_ros.lab.bench import policy
from vla_ros.parameters import ParameterError

CELL = {"p50_ms": 1.234, "p99_ms": 2.0, "apart": 3e-5}
ROWS = [{"graph": "flow", policy.EAGER: {**CELL, "apart": 0.0}, policy.SHIPPED: CELL}]


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "NEEDS", {"json": "json", "no_such_module": "no-such-package"})
    with pytest.raises(ParameterError, match=r"not installed: no-such-package \(pip install no-such-package\)"):
        policy.run(argparse.Namespace(quick=True, seed=1, json="", docs=False))


def test_inputs_have_the_shapes_and_dtypes_of_the_example() -> None:
    example = (np.zeros((1, 8, 8, 3), np.uint8), np.zeros((2, 5), np.float32))
    images, tokens = policy._inputs("look", example, SimpleNamespace(), np.random.default_rng(1))  # type: ignore[arg-type]
    assert (images.shape, images.dtype, tokens.shape, tokens.dtype) == ((1, 8, 8, 3), np.uint8, (2, 5), np.float32)
    assert images.max() > 200, "the whole range of a byte"


def test_a_cell_shows_both_percentiles_and_the_difference() -> None:
    text = policy.table(ROWS)
    assert "| graph | torch eager | ONNX Runtime |" in text
    assert "| flow | 1.23 / 2.00 (0e+00) | 1.23 / 2.00 (3e-05) |" in text


def test_the_page_has_the_words_of_the_published_one() -> None:
    page = policy.document(policy.table(ROWS), policy.CALLS)
    published = (Path(__file__).parents[4] / "docs" / "bench_policy.md").read_text()
    assert page.splitlines()[0] == published.splitlines()[0]
    below = page.split("|")[-1]
    assert "Euler step" in below and below == published.split("|")[-1]
