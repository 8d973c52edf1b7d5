"""Arrays in JSON, as the package json-numpy writes them: {"__numpy__": base64, "dtype": "|u1", "shape": […]}.

Source: json-numpy 2.1, which the servers of OpenVLA and OpenVLA-OFT use.
"""

from __future__ import annotations

import base64
import json
import math
import reprlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEY = "__numpy__"


def dumps(message: object) -> bytes:
    """Return a message as JSON."""
    return json.dumps(message, default=_encoded).encode()


def loads(text: bytes | str) -> Any:
    """Return the message of a JSON text.

    Raises:
        ValueError: it is no JSON, or an array in it is none.
    """
    try:
        return json.loads(text, object_hook=_decoded)
    except RecursionError:
        raise ValueError("JSON that is nested without end") from None


def _encoded(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return {KEY: base64.b64encode(array.tobytes()).decode(), "dtype": array.dtype.str, "shape": array.shape}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _decoded(value: dict[str, Any]) -> Any:
    return _array(value) if KEY in value else value


def _array(value: dict[str, Any]) -> NDArray[Any]:
    text, name, shape = value[KEY], value.get("dtype"), value.get("shape")
    if not isinstance(text, str) or not isinstance(name, str) or not isinstance(shape, list):
        raise ValueError("an array without its dtype and shape")
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise ValueError(f"an array of dtype {reprlib.repr(name)}") from None
    if dtype.kind not in "biuf" or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"an array of dtype {reprlib.repr(name)} and shape {reprlib.repr(shape)}")
    data = base64.b64decode(text, validate=True)
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"an array of shape {reprlib.repr(shape)} and dtype {name} whose data have another length")
    return np.frombuffer(data, dtype).reshape(shape)
