"""json-numpy's convention: arrays as base64 with dtype and shape; nothing that is no array of numbers is read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from vla_ros.policies.remote.numpy_json import dumps, loads


@pytest.mark.parametrize("array", [np.arange(12, dtype=np.uint8).reshape(2, 2, 3), np.array([0.5, -1.5]), np.array(1)])
def test_arrays_go_there_and_back(array: Any) -> None:
    back = loads(dumps({"image": array, "instruction": "go"}))
    assert back["instruction"] == "go" and np.array_equal(back["image"], array) and back["image"].dtype == array.dtype


def test_the_text_is_json_numpys() -> None:
    assert json.loads(dumps(np.array([1, 2], np.uint8))) == {"__numpy__": "AQI=", "dtype": "|u1", "shape": [2]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nan of nothing",
        '{"__numpy__": "AQI=", "dtype": "|u1"}',
        '{"__numpy__": "AQI=", "dtype": "|O", "shape": [2]}',
        '{"__numpy__": "AQI=", "dtype": "what", "shape": [2]}',
        '{"__numpy__": "AQI=", "dtype": "|u1", "shape": [3]}',
        '{"__numpy__": "AQI=", "dtype": "|u1", "shape": [-2]}',
        '{"__numpy__": "A", "dtype": "|u1", "shape": [2]}',
        '{"__numpy__": 4, "dtype": "|u1", "shape": [2]}',
        "[" * 100_000,
    ],
)
def test_broken_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        loads(text)
