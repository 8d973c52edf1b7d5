"""Messages with arrays between two processes, as bytes: a prefix, JSON, and the arrays' own bytes behind each other.

Both ends may run different Pythons: nothing beyond numpy is needed, and nothing that is read is executed (no pickle).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

MAGIC = b"vla1"
PREFIX = struct.Struct(">4sIQ")
"""Magic, bytes of JSON, bytes of arrays."""
LARGEST_HEADER = 1 << 24
LARGEST_PAYLOAD = 1 << 32
KINDS = "biuf"
"""Kinds of numpy dtypes that travel: numbers and truth values."""
ARRAY = "__array__"


class FrameError(ValueError):
    """What was read is no message."""


def packed(message: Mapping[str, Any]) -> bytes:
    """Return a message as bytes.

    Args:
        message: str, numbers, truth values, None, lists, mappings with str keys, and numpy arrays of numbers.

    Raises:
        TypeError: something else is in it.
    """
    arrays: list[bytes] = []
    header = json.dumps(_without_arrays(message, arrays)).encode()
    payload = b"".join(arrays)
    return PREFIX.pack(MAGIC, len(header), len(payload)) + header + payload


def sizes(prefix: bytes) -> tuple[int, int]:
    """Return (bytes of JSON, bytes of arrays) that follow a prefix of PREFIX.size bytes.

    Raises:
        FrameError: it is no prefix, or announces more than any message has.
    """
    magic, header, payload = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise FrameError(f"expected a message, got {prefix[:16]!r}")
    if header > LARGEST_HEADER or payload > LARGEST_PAYLOAD:
        raise FrameError(f"a message of {header} + {payload} bytes is announced; none is so long")
    return header, payload


def unpacked(header: bytes, payload: bytes) -> dict[str, Any]:
    """Inverse of `packed`; arrays are read-only views of `payload`.

    Raises:
        FrameError: the bytes are no message.
    """
    try:
        tree = json.loads(header)
    except ValueError as error:
        raise FrameError(f"the message's header is not JSON: {error}") from None
    if not isinstance(tree, dict):
        raise FrameError("the message's header is no mapping")
    message: dict[str, Any] = {key: _with_arrays(value, payload) for key, value in tree.items()}
    return message


def _without_arrays(value: Any, arrays: list[bytes]) -> Any:
    """Return `value` with each array replaced by its place among `arrays`, to which its bytes are added."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in KINDS:
            raise TypeError(f"arrays of dtype {value.dtype} do not travel")
        little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        offset = sum(map(len, arrays))
        arrays.append(little.tobytes())
        return {ARRAY: [little.dtype.str, list(value.shape), offset]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _without_arrays(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_arrays(item, arrays) for item in value]
    return value


def _with_arrays(value: Any, payload: bytes) -> Any:
    """Return `value` with its arrays."""
    if isinstance(value, list):
        return [_with_arrays(item, payload) for item in value]
    if not isinstance(value, dict):
        return value
    if ARRAY not in value:
        return {key: _with_arrays(item, payload) for key, item in value.items()}
    try:
        name, shape, offset = value[ARRAY]
        kind = np.dtype(name)
        count = math.prod(int(length) for length in shape)
        if kind.kind not in KINDS or count < 0 or int(offset) < 0:
            raise ValueError(f"{name} {shape} at {offset}")
        return np.frombuffer(payload, kind, count, int(offset)).reshape(shape)
    except (TypeError, ValueError) as error:
        raise FrameError(f"an array of the message is torn: {error}") from None
