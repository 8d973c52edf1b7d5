"""Un-normalising by hand, and what of statistics is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies.openvla.dataset_statistics import chosen, vector

GOOD = {"q01": [-2.0, 0.0], "q99": [4.0, 1.0], "min": [-3.0, 0.0], "max": [5.0, 1.0], "mask": [True, False]}


def test_a_value_is_scaled_into_the_quantiles_where_the_mask_says_so() -> None:
    normalizer = vector(GOOD, "file").normalizer("quantiles")
    for value in (-1.0, -0.3, 0.0, 0.7, 1.0):
        assert normalizer.unnormalized(np.array([value, value])).tolist() == [0.5 * (value + 1) * 6.0 - 2.0, value]


def test_min_max_and_epsilon() -> None:
    normalizer = vector(GOOD, "file").normalizer("min_max", 0.5)
    assert normalizer.unnormalized(np.array([1.0, 0.25])).tolist() == [8.5 - 3.0, 0.25]


def test_a_state_is_normalised_and_clipped() -> None:
    normalizer = vector(GOOD, "file").normalizer("quantiles")
    assert np.allclose(normalizer.normalized(np.array([1.0, 0.4])), [0.0, 0.4], atol=1e-8)
    assert normalizer.normalized(np.array([99.0, -7.0])).tolist() == [1.0, -1.0]


def test_without_a_mask_everything_is_normalised() -> None:
    assert vector({"q01": [0.0], "q99": [1.0]}, "file").mask.tolist() == [True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"q01": [-2.0]}, "widths differ: q01 1, q99 2"),
        ({"mask": [True]}, "widths differ: .*mask 1"),
        ({"mask": [1, 0]}, "mask: expected a list of true and false"),
        ({"q99": [math.nan, 1.0]}, "q99: value 0 is not finite"),
        ({"max": [math.inf, 1.0]}, "max: value 0 is not finite"),
        ({"q01": ["a", "b"]}, "q01: expected a list of numbers"),
        ({"q01": [[0.0, 1.0]]}, "q01: expected a list of numbers, got shape"),
        ({"q01": []}, "q01: expected a list of numbers"),
    ],
)
def test_broken_statistics_are_refused_by_name(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=f"^file.*{said}"):
        vector({**GOOD, **change}, "file")


@pytest.mark.parametrize("content", [None, [], "text", {}, {"mask": [True]}])
def test_what_is_no_statistics_is_refused(content: object) -> None:
    with pytest.raises(ParameterError, match="^file: "):
        vector(content, "file")


def test_ranges_that_cannot_be_are_refused() -> None:
    with pytest.raises(ParameterError, match="has no q99, by which"):
        vector({"q01": [0.0]}, "file").normalizer("quantiles")
    with pytest.raises(ParameterError, match=r"q01\[1\] is 2, above q99\[1\], 1"):
        vector({**GOOD, "q01": [-2.0, 2.0]}, "file").normalizer("quantiles")
    with pytest.raises(ParameterError, match="equal everywhere"):
        vector({**GOOD, "q01": [4.0, 0.0]}, "file").normalizer("quantiles")


def test_the_data_set_is_the_only_one_or_named() -> None:
    assert chosen({"a": 1}, "", "openvla.unnorm_key", "f") == "a"
    assert chosen({"a": 1, "b": 2}, "b", "openvla.unnorm_key", "f") == "b"
    with pytest.raises(ParameterError, match="^openvla.unnorm_key: say whose statistics.*; f has a, b$"):
        chosen({"b": 1, "a": 2}, "", "openvla.unnorm_key", "f")
    with pytest.raises(
        ParameterError, match="no data set 'bridge'.*did you mean bridge_orig.*; it has bridge_orig, kuka$"
    ):
        chosen({"kuka": 1, "bridge_orig": 2}, "bridge", "openvla.unnorm_key", "f")
    with pytest.raises(ParameterError, match="of no data set"):
        chosen({}, "a", "openvla.unnorm_key", "f")
