"""Messages between processes: what goes in comes out, and what is torn is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vla_ros.policies.array_frames import MAGIC, PREFIX, FrameError, packed, sizes, unpacked

DTYPES = st.one_of(arrays.floating_dtypes(), arrays.integer_dtypes(), arrays.unsigned_integer_dtypes(), st.just(bool))


def round_trip(message: dict) -> dict:
    raw = packed(message)
    header, payload = sizes(raw[: PREFIX.size])
    assert len(raw) == PREFIX.size + header + payload
    return unpacked(raw[PREFIX.size : PREFIX.size + header], raw[PREFIX.size + header :])


@given(DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))))
def test_arrays_keep_every_bit(array: np.ndarray) -> None:
    (found,) = round_trip({"list": [{"a": array}]})["list"]
    assert found["a"].shape == array.shape
    assert found["a"].astype(array.dtype).tobytes() == array.tobytes()


def test_scalars_text_and_nothing_pass() -> None:
    message = {"a": 1, "b": -0.1, "c": "ä\n", "d": None, "e": [True, {"f": []}]}
    assert round_trip(message) == message
    assert round_trip({"a": np.float32(0.5), "b": (1, 2)}) == {"a": 0.5, "b": [1, 2]}


@pytest.mark.parametrize("value", [np.array(["text"]), np.array([object()]), object(), b"raw"])
def test_other_things_do_not_travel(value: object) -> None:
    with pytest.raises(TypeError):
        packed({"a": value})


@pytest.mark.parametrize(
    "prefix", [b"text" + bytes(12), PREFIX.pack(MAGIC, 1 << 30, 0), PREFIX.pack(MAGIC, 2, 1 << 40)]
)
def test_what_is_no_prefix_is_refused(prefix: bytes) -> None:
    with pytest.raises(FrameError):
        sizes(prefix)


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"[]",
        b'{"a": {"__array__": ["<f8", [2], 1]}}',
        b'{"a": {"__array__": ["<f8", [-1], 0]}}',
        b'{"a": {"__array__": ["<f8", [1], -8]}}',
        b'{"a": {"__array__": ["|O", [1], 0]}}',
        b'{"a": {"__array__": ["<f8"]}}',
        b'{"a": {"__array__": ["<f8", ["x"], 0]}}',
        b'{"a": {"__array__": ["nonsense", [1], 0]}}',
        b'{"a": {"__array__": 3}}',
    ],
)
def test_torn_messages_are_refused(header: bytes) -> None:
    with pytest.raises(FrameError):
        unpacked(header, bytes(16))
