"""Are the weights of a checkpoint whole? Only headers are read: torn downloads are found before a model is built."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.parameters import ParameterError

SINGLE = "model.safetensors"
LARGEST_HEADER = 100_000_000
"""Bytes; the format allows no more."""
LFS = b"version https://git-lfs"
DTYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1"},
    **{"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?", "BF16": "<u2"},
}
"""Types of safetensors → numpy's; bfloat16 is read as its upper half of a float32."""


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        ParameterError: it is absent, no JSON, or no object.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        again = "; download the folder again" if isinstance(error, FileNotFoundError) else ""
        raise ParameterError(f"{path}: {error.strerror}{again}") from None
    except (ValueError, RecursionError) as error:
        lfs = _is_lfs(path)
        raise ParameterError(
            f"{path}: {'a pointer of Git LFS: run git lfs pull' if lfs else f'no JSON: {error}'}"
        ) from None
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: expected an object, got {type(content).__name__}")
    return content


def tensor_header(path: Path) -> dict[str, tuple[str, tuple[int, ...], int, int]]:
    """Return tensor → (dtype, shape, first byte, byte behind the last) of a safetensors file, and check that it is whole.

    Raises:
        ParameterError: it is absent, empty, truncated, or of another format.
    """
    again = "download it again"
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if _is_lfs(path):
                raise ParameterError(f"{path}: a pointer of Git LFS: run git lfs pull")
            if len(start) < 8:
                raise ParameterError(f"{path}: {size} bytes hold no tensors; {again}")
            if length > min(size - 8, LARGEST_HEADER):
                raise ParameterError(
                    f"{path}: truncated, or no safetensors: a header of {length} bytes in {size}; {again}"
                )
            header = json.loads(file.read(length))
    except OSError as error:
        raise ParameterError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError(f"{path}: no safetensors: {error}; {again}") from None
    try:
        tensors = {str(name): _entry(entry, 8 + length) for name, entry in header.items() if name != "__metadata__"}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ParameterError(f"{path}: no safetensors: its header has no tensors of dtype, shape and offsets") from None
    if torn := [name for name, (_, _, first, last) in tensors.items() if not 8 + length <= first <= last]:
        raise ParameterError(f"{path}: no safetensors: the offsets of {torn[0]} are none; {again}")
    end = max((last for *_, last in tensors.values()), default=8 + length)
    if end > size:
        raise ParameterError(f"{path}: truncated: {size} bytes of {end}; {again}")
    return tensors


def _entry(entry: Mapping[str, Any], start: int) -> tuple[str, tuple[int, ...], int, int]:
    first, last = map(int, entry["data_offsets"])
    return str(entry["dtype"]), tuple(map(int, entry["shape"])), start + first, start + last


def read_tensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return tensor → array of a small safetensors file, such as statistics; bfloat16 as float32.

    Raises:
        ParameterError: as `tensor_header`; or a tensor's bytes do not fit its shape, or its type is unknown.
    """
    content = {}
    header = tensor_header(path)
    data = path.read_bytes()
    for name, (dtype, shape, first, last) in header.items():
        if dtype not in DTYPES:
            raise ParameterError(f"{path}: {name} is of type {dtype}; known are {', '.join(DTYPES)}")
        if last - first != math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize:
            raise ParameterError(
                f"{path}: {name} has {last - first} bytes for shape {shape} of {dtype}; download it again"
            )
        array: NDArray[Any] = np.frombuffer(data[first:last], DTYPES[dtype])
        if dtype == "BF16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        content[name] = array.reshape(shape)
    return content


def weight_faults(folder: Path, single: str = SINGLE) -> list[str]:
    """Return what is wrong with the weights of a folder, a line each: one file, or shards that an index names.

    Args:
        single: name of the one file; the index is `<single>.index.json`.
    """
    index = folder / f"{single}.index.json"
    if (folder / single).exists() or not index.exists():
        return _faults(folder / single, set())
    try:
        weight_map = read_json(index).get("weight_map")
    except ParameterError as error:
        return [str(error)]
    if not isinstance(weight_map, dict) or not weight_map:
        return [f"{index}: it names no shards (weight_map)"]
    shards: dict[str, set[str]] = {}
    for tensor, shard in weight_map.items():
        shards.setdefault(Path(str(shard)).name, set()).add(str(tensor))
    return [fault for shard, tensors in sorted(shards.items()) for fault in _faults(folder / shard, tensors)]


def _faults(path: Path, tensors: set[str]) -> list[str]:
    if not path.exists():
        return [f"{path}: absent; download the folder again"]
    try:
        found = tensor_header(path)
    except ParameterError as error:
        return [str(error)]
    if missing := sorted(tensors - found.keys()):
        return [
            f"{path}: without {missing[0]} and {len(missing) - 1} others that the index places there; download it again"
        ]
    return [] if found else [f"{path}: it holds no tensor; download it again"]


def _is_lfs(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(LFS)) == LFS
