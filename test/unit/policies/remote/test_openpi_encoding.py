"""openpi's encoding: arrays go there and back; nothing that is no array of numbers is read."""

from __future__ import annotations

import contextlib
import struct
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vla_ros.policies.remote.openpi_encoding import decode, encode

NUMBERS = st.sampled_from(["|u1", "<f4", "<f8", "<i8", "|b1", ">f4"])


@given(NUMBERS.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))))
def test_arrays_go_there_and_back(array: Any) -> None:
    back = decode(encode({"a": array}))["a"]
    assert back.dtype == array.dtype and back.shape == array.shape and back.tobytes() == array.tobytes()


def test_the_bytes_are_those_of_openpi_client() -> None:
    # msgpack_numpy.packb({"x": np.array([1.0], np.float32)}) of openpi-client 0.1.2
    told = (
        b"\x81\xa1x\x84\xc4\x0b__ndarray__\xc3\xc4\x04data\xc4\x04" + struct.pack("<f", 1.0) + b"\xc4\x05dtype\xa3<f4"
        b"\xc4\x05shape\x91\x01"
    )
    assert encode({"x": np.array([1.0], np.float32)}) == told


def test_numbers_of_numpy_go_there_and_back() -> None:
    assert decode(encode({"n": np.float32(1.5)})) == {"n": np.float32(1.5)}


@pytest.mark.parametrize("value", [np.array([None]), np.array([1j]), np.zeros(1, "V4"), object(), {1, 2}])
def test_other_things_are_not_sent(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode({"x": value})


def array_message(**changes: Any) -> bytes:
    fields = {"__ndarray__": True, "data": bytes(8), "dtype": "<f4", "shape": [2]} | changes
    return bytes(msgpack.packb({key.encode(): value for key, value in fields.items() if value is not None}))


def test_the_message_that_is_changed_below_is_good() -> None:
    assert np.array_equal(decode(array_message()), [0.0, 0.0])


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "|O"},
        {"dtype": "V8"},
        {"dtype": "nonsense"},
        {"dtype": 4},
        {"dtype": None},
        {"shape": [3]},
        {"shape": [-2]},
        {"shape": [2**62, 4]},
        {"shape": "2"},
        {"shape": None},
        {"shape": [True, 2]},
        {"data": None},
        {"data": "text"},
        {"data": bytes(7)},
    ],
)
def test_broken_arrays_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        decode(array_message(**changes))


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused_with_one_kind_of_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(data)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(ValueError):
        decode(b"\x91" * 100_000)
