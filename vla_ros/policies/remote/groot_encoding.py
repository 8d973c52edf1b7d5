"""The messages of GR00T's policy server: msgpack, with arrays as the bytes of .npy files, without objects."""

from __future__ import annotations

import io
import math
import reprlib
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from vla_ros.policies.remote.message_codec import MessageCodec

ARRAY, BYTES = "__ndarray_class__", "as_npy"


def _encoded(value: object) -> object:
    if isinstance(value, np.ndarray):
        file = io.BytesIO()
        np.save(file, value, allow_pickle=False)
        return {ARRAY: True, BYTES: file.getvalue()}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _decoded(value: dict[Any, Any]) -> Any:
    if ARRAY not in value:
        return value
    if not isinstance(value.get(BYTES), bytes):
        raise ValueError("an array without its bytes")
    return _array(value[BYTES])


def _array(data: bytes) -> NDArray[Any]:
    """Return the array of a .npy file. Its header is compared with the bytes before anything is allocated."""
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"no .npy file: {type(error).__name__}") from None
    left = data[file.tell() :]
    if dtype.kind not in "biuf" or len(left) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"an array of shape {reprlib.repr(shape)} and dtype {dtype} whose data do not fit")
    return np.frombuffer(left, dtype).reshape(shape, order="F" if fortran else "C")


_CODEC = MessageCodec(_encoded, _decoded)
encode, decode = _CODEC.encode, _CODEC.decode
