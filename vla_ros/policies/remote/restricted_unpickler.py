"""Reads the pickled actions of LeRobot's policy server, and executes nothing.

Unpickling runs whatever a pickle names, so that who controls the server, or the network, controls the robot's computer
(CVE-2026-25874 is LeRobot's own). Here a pickle may name the few things that a list of `TimedAction` consists of, and each
name stands for a function of this file. torch is not needed: a tensor becomes an array.

Source: the standard library, "Restricting Globals"; torch 2.11, serialization.py, for the layout of a stored storage.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

MAX_ROWS = 4096
MAX_OPCODES = 400_000
"""Of a pickle: some 60 for each row."""
STORAGES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "<u2"}
"""torch's classes of storages → dtype of their bytes; the upper half of a float32 is a bfloat16."""
_MAGIC = 0x1950A86A20F9469CFC6C  # of a storage that torch.save wrote in its old format
_VERSION = 1001
_NUMBERS = "fiu"
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")


@dataclass(frozen=True)
class TimedRow:
    """One row of the answer. timestamp_s: Unix time, s. timestep: the observation's, plus its number. action: (width,)."""

    timestamp_s: float
    timestep: int
    action: NDArray[Any]


def timed_actions(data: bytes) -> list[TimedRow]:
    """Return the rows of a pickled list of `TimedAction`.

    Raises:
        ValueError: it is none, or names anything else; the text says what.
    """
    try:
        rows = _loaded(io.BytesIO(data), _ActionsUnpickler)
    except ValueError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # whatever a pickle made by hand can provoke in a reader
        raise ValueError(f"no pickle of actions ({type(error).__name__})") from None
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_ROWS:
        raise ValueError(f"a pickle of {type(rows).__name__}, not of up to {MAX_ROWS} actions")
    return [_row(each) for each in rows]


def _row(found: object) -> TimedRow:
    values = vars(found) if type(found).__name__ == "TimedAction" else {}
    stamp, step, action = (values.get(name) for name in ("timestamp", "timestep", "action"))
    if isinstance(action, PickledArray):
        action = action.array
    if not isinstance(stamp, float | int) or type(step) is not int or not isinstance(action, np.ndarray):
        raise ValueError("a pickle whose list holds something else than timed actions")
    if action.ndim != 1:
        raise ValueError(f"an action of shape {action.shape}")
    return TimedRow(float(stamp), step, action)


class PickledDtype:
    """Stands for numpy.dtype: numbers only. Its state, of numpy's own format, tells the order of bytes."""

    def __init__(self, text: object, *_: object) -> None:
        dtype = np.dtype(text) if isinstance(text, str) and len(text) <= 3 else np.dtype("V1")
        if dtype.kind not in _NUMBERS:
            raise ValueError(f"an array of dtype {reprlib.repr(text)}")
        self.dtype: np.dtype[Any] = dtype

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise ValueError("an array of an unknown order of bytes")
        self.dtype = self.dtype.newbyteorder(order)


class PickledArray:
    """Stands for numpy.ndarray. Its state, of numpy's own format, holds shape, dtype, order and bytes."""

    array: NDArray[Any]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        self.array = _array(data, dtype, shape, "F" if fortran is True else "C")


def _array(data: object, dtype: object, shape: object, order: object = "C", *_: object) -> NDArray[Any]:
    """Return the array of these bytes."""
    if not isinstance(data, bytes | bytearray) or not isinstance(dtype, PickledDtype) or not _sizes(shape):
        raise ValueError("an array that is none")
    sizes = cast("tuple[int, ...]", shape)
    if order not in ("C", "F") or math.prod(sizes) * dtype.dtype.itemsize != len(data):
        raise ValueError("an array whose data have another length")
    return np.frombuffer(bytes(data), dtype.dtype).reshape(sizes, order="F" if order == "F" else "C")


def _scalar(dtype: object, data: object) -> Any:
    """Return a numpy number, e.g. of a time stamp, as one of Python's."""
    return _array(data, dtype, ()).item()


def _allowed() -> dict[tuple[str, str], Any]:
    """Return (module, name) → what stands for it.

    All of it is made anew for each pickle: one that sets attributes of what it was given spoils its own reading alone.
    """
    array = type("ndarray", (PickledArray,), {})
    stands_for = {
        ("lerobot.async_inference.helpers", "TimedAction"): type("TimedAction", (), {}),
        ("torch._utils", "_rebuild_tensor_v2"): partial(_tensor),
        ("torch.storage", "_load_from_bytes"): partial(_storage),
        ("collections", "OrderedDict"): lambda: None,  # of hooks: a tensor without gradient has none
        ("numpy", "ndarray"): array,
        ("numpy", "dtype"): type("dtype", (PickledDtype,), {}),
    }
    for core in ("numpy._core", "numpy.core"):
        stands_for[f"{core}.multiarray", "_reconstruct"] = lambda *_: array()
        stands_for[f"{core}.multiarray", "scalar"] = partial(_scalar)
        stands_for[f"{core}.numeric", "_frombuffer"] = partial(_array)
    return stands_for


class _ActionsUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._allowed = _allowed()

    def find_class(self, module: str, name: str, /) -> Any:
        """Return what stands for a name; every other one is refused, nested ones ("a.b") too."""
        found = self._allowed.get((module, name))
        if found is None:
            raise ValueError(f"a pickle that names {module}.{name}, which no list of actions needs")
        return found


class _StorageUnpickler(pickle.Unpickler):
    """Reads the head of a stored storage: the only name in it is the class of the storage, and only as a text."""

    def find_class(self, module: str, name: str, /) -> Any:
        """Return the dtype of a class of storages."""
        if module == "torch" and name in STORAGES:
            return name
        raise ValueError(f"a storage that names {module}.{name}")

    def persistent_load(self, found: object, /) -> object:
        """Return what a storage says of itself."""
        return found


def _loaded(file: io.BytesIO, unpickler: type[pickle.Unpickler]) -> Any:
    """Return the next pickle of a file.

    Its opcodes are read first, without executing any: one that puts a value far away in the memo makes the reader of some
    versions of Python reserve that much memory.

    Raises:
        ValueError: it has too many opcodes, or such a one. pickle.UnpicklingError and others: it is none.
    """
    start, bomb = file.tell(), False
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            bomb = number > MAX_OPCODES or (opcode.name in _PUTS and cast(int, argument) > number)
            if bomb:
                break
    except ValueError as error:
        raise pickle.UnpicklingError(str(error)) from None
    if bomb:
        raise ValueError("a pickle that is made to fill the memory")
    file.seek(start)
    return unpickler(file).load()


def _storage(data: bytes) -> NDArray[Any]:
    """Return the numbers of a storage that `torch.save` wrote in its old format: five pickles, a size, the bytes."""
    file = io.BytesIO(data)
    head = [_loaded(file, _StorageUnpickler) for _ in range(5)]
    if head[0] != _MAGIC or head[1] != _VERSION or not isinstance(head[3], tuple) or len(head[3]) < 5:
        raise ValueError("a tensor of another format than torch's")
    kind, name, _, _, count = head[3][:5]
    if kind != "storage" or name not in STORAGES or type(count) is not int or count < 0:
        raise ValueError("a tensor of another format than torch's")
    dtype = np.dtype(STORAGES[name])
    file.seek(8, io.SEEK_CUR)  # the number of values, once more
    raw = file.read(count * dtype.itemsize)
    if len(raw) != count * dtype.itemsize:
        raise ValueError("a tensor that is cut off")
    numbers = np.frombuffer(raw, dtype)
    if name == "BFloat16Storage":
        return cast("NDArray[Any]", (numbers.astype(np.uint32) << 16).view(np.float32))
    return numbers


def _tensor(storage: object, offset: object, size: object, stride: object, *_: object) -> NDArray[Any]:
    """Return the array that a tensor shows of its storage; nothing outside the storage."""
    if not isinstance(storage, np.ndarray) or not (_sizes([offset]) and _sizes(size) and _sizes(stride)):
        raise ValueError("a tensor that is none")
    shape, steps = cast("tuple[int, ...]", size), cast("tuple[int, ...]", stride)
    first = cast(int, offset)
    if len(shape) != len(steps) or math.prod(shape) > storage.size:
        raise ValueError("a tensor that is larger than its storage")
    last = first + sum((length - 1) * step for length, step in zip(shape, steps, strict=True))
    if math.prod(shape) and last >= storage.size:
        raise ValueError("a tensor that reaches beyond its storage")
    strides = [step * storage.itemsize for step in steps]
    return np.lib.stride_tricks.as_strided(storage[first:], shape, strides, writeable=False).copy()


def _sizes(values: object) -> bool:
    """Whether these are whole numbers, not negative and not too large."""
    return isinstance(values, Sequence) and all(type(value) is int and 0 <= value < 2**31 for value in values)
