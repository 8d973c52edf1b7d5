"""The messages of openpi's websocket protocol: msgpack, with arrays as maps with byte keys.

An array is {b"__ndarray__": True, b"data": bytes, b"dtype": "<f4", b"shape": […]}, a numpy number
{b"__npgeneric__": True, b"data": number, b"dtype": "<f4"}. Nothing else is read: no objects, no pickles.

Source: openpi-client 0.1.2, msgpack_numpy.py.
"""

from __future__ import annotations

import math
import reprlib
from typing import Any

import numpy as np

from vla_ros.policies.remote.message_codec import MessageCodec

KINDS = "biuf"
"""Of the dtypes that are read: truth values, whole numbers, floats."""


def _encoded(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in KINDS:
        raise ValueError(f"an array of dtype {value.dtype} cannot be sent")
    if isinstance(value, np.ndarray):
        return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _decoded(value: dict[Any, Any]) -> object:
    if b"__ndarray__" in value:
        dtype, shape, data = _dtype(value.get(b"dtype")), value.get(b"shape"), value.get(b"data")
        if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"an array of shape {reprlib.repr(shape)}")
        if not isinstance(data, bytes) or len(data) != math.prod(shape) * dtype.itemsize:
            raise ValueError(
                f"an array of shape {reprlib.repr(shape)} and dtype {dtype} whose data have another length"
            )
        return np.frombuffer(data, dtype).reshape(shape)
    if b"__npgeneric__" in value:
        return _dtype(value.get(b"dtype")).type(value.get(b"data"))
    return value


def _dtype(text: object) -> np.dtype[Any]:
    """Return the dtype of a text such as "<f4"."""
    try:
        dtype = np.dtype(text) if isinstance(text, str) else np.dtype("O")
    except TypeError:
        dtype = np.dtype("O")
    if dtype.kind not in KINDS:
        raise ValueError(f"an array of dtype {reprlib.repr(text)}")
    return dtype


_CODEC = MessageCodec(_encoded, _decoded)
encode, decode = _CODEC.encode, _CODEC.decode
