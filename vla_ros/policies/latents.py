"""The bytes of a plan, in a message or in shared memory.

A plan of several MB (a key-value cache) costs a copy at each hop when it travels in a message. On one host it can stand
in shared memory instead and the message carries its place. The segment is a ring of blocks; each block begins with a
generation and the length and checksum of what follows. A writer voids the generation, writes, then sets the new one; a
reader copies, then looks at generation and checksum again. So a reader gets the whole block or nothing.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from multiprocessing import resource_tracker, shared_memory

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<QQI")  # generation, length, crc32
VOID = 0


class LatentLost(Exception):
    """The block is gone: overwritten by newer plans, or its writer ended. The plan is to be dropped."""


def to_bytes(data: NDArray[np.generic]) -> tuple[str, list[int], bytes]:
    """Return (dtype, shape, bytes little-endian in C order) of an array."""
    little = np.ascontiguousarray(data, data.dtype.newbyteorder("<"))
    return data.dtype.name, list(data.shape), little.tobytes()


def from_bytes(dtype: str, shape: list[int], raw: bytes) -> NDArray[np.generic]:
    """Inverse of `to_bytes`.

    Raises:
        ValueError: dtype is unknown, or the number of bytes is not the shape's.
    """
    try:
        kind = np.dtype(dtype).newbyteorder("<")
    except TypeError:
        raise ValueError(f"dtype {dtype!r} is unknown") from None
    if kind.hasobject or len(raw) != kind.itemsize * int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"{len(raw)} bytes are not {dtype} of shape {shape}")
    return np.frombuffer(raw, kind).reshape(shape)


class LatentWriter:
    """A ring of `blocks` plans of up to `capacity` bytes in a segment named `name`."""

    def __init__(self, name: str, capacity: int, blocks: int = 4) -> None:
        self.capacity = capacity
        self._stride = HEADER.size + capacity
        self._blocks = blocks
        with contextlib.suppress(FileNotFoundError):
            # Left by a writer that was killed.
            stale = shared_memory.SharedMemory(name)
            stale.close()
            stale.unlink()
        self._segment = shared_memory.SharedMemory(name, create=True, size=self._stride * blocks)
        self._generation = VOID

    def write(self, raw: bytes) -> tuple[str, int, int]:
        """Store `raw` and return (name, offset, generation) for the message.

        Raises:
            ValueError: it does not fit into a block.
        """
        if len(raw) + HEADER.size > self._stride:
            raise ValueError(f"a plan of {len(raw)} bytes does not fit into blocks of {self._stride - HEADER.size}")
        self._generation += 1
        offset = (self._generation % self._blocks) * self._stride
        buffer = self._segment.buf
        assert buffer is not None  # not closed
        HEADER.pack_into(buffer, offset, VOID, 0, 0)
        buffer[offset + HEADER.size : offset + HEADER.size + len(raw)] = raw
        HEADER.pack_into(buffer, offset, self._generation, len(raw), zlib.crc32(raw))
        return self._segment.name, offset, self._generation

    def close(self) -> None:
        """Remove the segment; readers that hold it keep their copy."""
        self._segment.close()
        with contextlib.suppress(FileNotFoundError):
            self._segment.unlink()


def read(name: str, offset: int, generation: int) -> bytes:
    """Copy a block out of shared memory.

    Raises:
        LatentLost: there is no such segment, it is not ours to read, or the block holds another generation by now.
    """
    try:
        segment = shared_memory.SharedMemory(name)
    except FileNotFoundError:
        raise LatentLost(f"shared memory {name} is gone") from None
    except OSError as error:
        raise LatentLost(f"shared memory {name}: {error.strerror}; run planner and action expert as one user") from None
    # Python would remove the writer's segment when this reader ends.
    resource_tracker.unregister(segment._name, "shared_memory")  # type: ignore[attr-defined]
    try:
        assert segment.buf is not None
        if offset + HEADER.size > segment.size:
            raise LatentLost(f"shared memory {name} has no block at {offset}")
        found, length, checksum = HEADER.unpack_from(segment.buf, offset)
        raw = bytes(segment.buf[offset + HEADER.size : offset + HEADER.size + length])
        again = HEADER.unpack_from(segment.buf, offset)
        if found != generation or again != (found, length, checksum) or zlib.crc32(raw) != checksum:
            raise LatentLost(f"plan {generation} in {name} was overwritten")
        return raw
    finally:
        segment.close()
