"""GR00T's encoding: .npy files in msgpack; a header that lies allocates nothing."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.policies.remote.groot_encoding import ARRAY, BYTES, decode, encode


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.zeros((0, 2), np.float32), np.array(3, np.int64)])
def test_arrays_go_there_and_back(array: Any) -> None:
    back = decode(encode({"a": array}))["a"]
    assert back.dtype == array.dtype and back.shape == array.shape and np.array_equal(back, array)


def test_columns_first() -> None:
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(decode(encode([array]))[0], array)


def test_the_bytes_are_those_of_numpy() -> None:
    file = io.BytesIO()
    np.save(file, np.arange(3), allow_pickle=False)
    assert msgpack.unpackb(encode(np.arange(3))) == {ARRAY: True, BYTES: file.getvalue()}


def npy(header: str, data: bytes = bytes(8)) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"


def test_the_file_that_is_changed_below_is_good() -> None:
    assert decode(msgpack.packb({ARRAY: True, BYTES: npy(GOOD)})).shape == (1,)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"no npy",
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,), }"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
        npy("__import__('os').system('true')"),
        npy(GOOD, bytes(7)),
        npy(GOOD)[:20],
        "text",
        None,
    ],
)
def test_broken_files_are_refused(file: Any) -> None:
    with pytest.raises(ValueError):
        decode(msgpack.packb({ARRAY: True, BYTES: file}))


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused_with_one_kind_of_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(data)
