"""The bytes of a plan, in a message or in shared memory.

A plan of several MB (a key-value cache) costs a copy at each hop when it travels in a message. On one host it can stand
in shared memory instead and the message carries its place. System 2 may write it there at once, so that nothing is
copied. The segment is a row of blocks, each with a generation in front of its data. A reader uses the data where they
stand and locks the block meanwhile; a writer takes a block that nobody has locked, so what is read is never overwritten.
The kernel keeps the locks, and drops those of a process that dies. Who comes too late finds another generation. So a
reader gets the whole block or nothing, and nothing has to be summed: a checksum over all bytes costs several times the copy.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import struct
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<QQ")  # generation, length
DATA_OFFSET = 64
"""The data of a block begin on a cache line."""
VOID = 0
BLOCKS = 4
"""One is written, one read by the action expert and one by its worker; one is on its way."""
BFLOAT16 = "bfloat16"
FOLDER = Path("/dev/shm")
"""Where Linux shows shared memory."""
FLOCK = struct.Struct("hhqqi")  # struct flock: type, whence, start, length, pid


NewArray = Callable[[Sequence[int], np.dtype[Any]], NDArray[np.generic]]
"""Makes an array to be filled, of shape and dtype: `numpy.empty`, or a place in shared memory."""


class LatentLost(Exception):
    """The block is gone: overwritten by newer plans, or its writer ended. The plan is to be dropped."""


@dataclass(frozen=True)
class LatentHandle:
    """Where in shared memory the data of a plan stand.

    Attributes:
        name: of the segment on this host.
        offset: of the block, bytes.
        generation: of the block.
        dtype, shape: of the array.
    """

    name: str
    offset: int
    generation: int
    dtype: str
    shape: tuple[int, ...]


def dtype_of(name: str) -> np.dtype[Any]:
    """Return the little-endian dtype of a name; "bfloat16" needs the package ml_dtypes, which numpy does without.

    Raises:
        ValueError: dtype is unknown, or its package is not installed.
    """
    if name == BFLOAT16:
        try:
            import ml_dtypes
        except ImportError:
            raise ValueError(
                "dtype bfloat16 needs the package ml_dtypes (pip install ml_dtypes), or wire_dtype: float32 on both sides"
            ) from None
        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    try:
        kind = np.dtype(name).newbyteorder("<")
    except TypeError:
        raise ValueError(f"dtype {name!r} is unknown") from None
    if kind.hasobject:
        raise ValueError(f"dtype {name!r} is no number")
    return kind


def to_bytes(data: NDArray[np.generic]) -> tuple[str, list[int], bytes]:
    """Return (dtype, shape, bytes little-endian in C order) of an array."""
    return data.dtype.name, list(data.shape), flat(data).tobytes()


def from_bytes(dtype: str, shape: Sequence[int], raw: bytes | NDArray[np.uint8]) -> NDArray[np.generic]:
    """Inverse of `to_bytes`.

    Raises:
        ValueError: dtype is unknown, or the number of bytes is not the shape's.
    """
    kind = dtype_of(dtype)
    if len(raw) != kind.itemsize * int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"{len(raw)} bytes are not {dtype} of shape {shape}")
    return np.frombuffer(raw, kind).reshape(shape)


def flat(data: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return the bytes of an array, little-endian in C order; a copy only where they stand otherwise."""
    little = np.ascontiguousarray(data, None if data.dtype.name == BFLOAT16 else data.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8)


class LatentWriter:
    """Blocks for `blocks` plans of up to `capacity` bytes in a segment named `name`."""

    def __init__(self, name: str, capacity: int, blocks: int = BLOCKS) -> None:
        self.capacity = capacity
        # Whole cache lines, so that each block begins on one.
        self._stride = DATA_OFFSET + (capacity + 63) // 64 * 64
        self._blocks = blocks
        with contextlib.suppress(FileNotFoundError):
            # Left by a writer that was killed.
            stale = shared_memory.SharedMemory(name)
            stale.close()
            stale.unlink()
        self._segment = shared_memory.SharedMemory(name, create=True, size=self._stride * blocks)
        self._locks = os.open(FOLDER / name, os.O_RDWR)
        # A map of its own: arrays on it may outlive the segment.
        self._memory = mmap.mmap(self._locks, self._stride * blocks)
        # The kernel gives the pages out at the first touch; a plan shall not wait for that.
        np.frombuffer(self._memory, np.uint8)[:] = 0
        self._generation = VOID
        self._last = 0  # block
        self._lent: tuple[int, int] | None = None  # offset of a block that is written outside, and where its data are

    def write(self, data: bytes | NDArray[np.generic]) -> tuple[str, int, int]:
        """Store `data` and return (name, offset, generation) for the message; what `empty` gave is not copied.

        Raises:
            ValueError: it does not fit into a block.
            LatentLost: readers use all blocks; it has to travel in the message.
        """
        raw = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else flat(data)
        if len(raw) > self.capacity:
            raise ValueError(f"a plan of {len(raw)} bytes does not fit into blocks of {self.capacity}")
        if self._lent is not None and self._lent[1] == raw.ctypes.data:
            offset = self._lent[0]
        else:
            offset = self._free()
            self._block(offset, len(raw))[:] = raw
        self._lent = None
        self._generation += 1
        HEADER.pack_into(self._memory, offset, self._generation, len(raw))
        _lock(self._locks, offset, fcntl.F_UNLCK)
        return self._segment.name, offset, self._generation

    def empty(self, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[np.generic]:
        """Return an array on a free block, to be filled and then given to `write`. One at a time: the one before is void.

        Its values stay until the block is written again, several plans later.

        Raises:
            ValueError, LatentLost: as `write`.
        """
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        if size > self.capacity:
            raise ValueError(f"a plan of {size} bytes does not fit into blocks of {self.capacity}")
        offset = self._free()
        block = self._block(offset, size)
        self._lent = offset, block.ctypes.data
        return block.view(dtype).reshape(shape)

    def _block(self, offset: int, size: int) -> NDArray[np.uint8]:
        """Return the place of a block's data; whoever reads the block from now on gets nothing."""
        HEADER.pack_into(self._memory, offset, VOID, 0)
        return np.frombuffer(self._memory, np.uint8, size, offset + DATA_OFFSET)

    def handle(self, data: NDArray[np.generic]) -> LatentHandle:
        """Store an array and return where it stands; raises as `write`."""
        return LatentHandle(*self.write(data), data.dtype.name, data.shape)

    def _free(self) -> int:
        """Return the offset of the block that was written longest ago of those that nobody reads, locked."""
        if self._lent is not None:
            offset, self._lent = self._lent[0], None
            return offset
        for step in range(1, self._blocks + 1):
            block = (self._last + step) % self._blocks
            if _lock(self._locks, block * self._stride, fcntl.F_WRLCK):
                self._last = block
                return block * self._stride
        raise LatentLost(f"all {self._blocks} blocks of shared memory {self._segment.name} are being read")

    def close(self) -> None:
        """Remove the segment; readers that hold it keep it until they let go."""
        with contextlib.suppress(OSError):
            os.close(self._locks)
        self._segment.close()
        with contextlib.suppress(FileNotFoundError):
            self._segment.unlink()


class _Segment:
    """A segment of another process, mapped, with a file of its own for the locks."""

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self.file = os.open(FOLDER / name, os.O_RDWR)
        except FileNotFoundError:
            raise LatentLost(
                f"shared memory {name} is gone, or on another machine or in another container: "
                "there, set planner.shared_memory_bytes to 0"
            ) from None
        except OSError as error:
            raise LatentLost(
                f"shared memory {name}: {error.strerror}; run planner and action expert as one user"
            ) from None
        weakref.finalize(self, os.close, self.file)
        size = os.fstat(self.file).st_size
        if not size:
            raise LatentLost(f"shared memory {name} is empty")
        self.memory = mmap.mmap(self.file, size)

    def alive(self) -> bool:
        """Whether its writer has not removed it."""
        return os.fstat(self.file).st_nlink > 0


class LatentReader:
    """Reads blocks where they stand. The newest segment stays attached from one read to the next."""

    def __init__(self) -> None:
        self._segment: _Segment | None = None

    def view(self, name: str, offset: int, generation: int) -> NDArray[np.uint8]:
        """Return the data of a block without copying them; it is locked until the last array on them is gone.

        Raises:
            LatentLost: there is no such segment, it is not ours to read, or the block holds another generation by now.
        """
        segment = self._attached(name)
        if offset < 0 or offset + DATA_OFFSET > len(segment.memory):
            raise LatentLost(f"shared memory {name} has no block at {offset}")
        # A description of its own for each view: closing it lets go of this view's lock and of no other's.
        held = os.open(f"/proc/self/fd/{segment.file}", os.O_RDWR)
        try:
            if not _lock(held, offset, fcntl.F_RDLCK):
                raise LatentLost(f"plan {generation} in {name} is being overwritten")
            found, length = HEADER.unpack_from(segment.memory, offset)
            if found != generation:
                raise LatentLost(f"plan {generation} in {name} was overwritten")
            if offset + DATA_OFFSET + length > len(segment.memory):
                raise LatentLost(f"shared memory {name} has no block of {length} bytes at {offset}")
            block = (ctypes.c_ubyte * length).from_buffer(segment.memory, offset + DATA_OFFSET)
        except BaseException:
            os.close(held)
            raise
        weakref.finalize(block, os.close, held)
        data = np.frombuffer(block, np.uint8)
        data.flags.writeable = False
        return data

    def array(self, handle: LatentHandle) -> NDArray[np.generic]:
        """Return the array of a handle, as `view`.

        Raises:
            LatentLost: as `view`. ValueError: as `from_bytes`.
        """
        raw = self.view(handle.name, handle.offset, handle.generation)
        return from_bytes(handle.dtype, handle.shape, raw)

    def close(self) -> None:
        """Let go of the segment; what was read of it stays."""
        self._segment = None

    def _attached(self, name: str) -> _Segment:
        """Return a segment; attach to it where it is another one than before."""
        if self._segment is None or self._segment.name != name or not self._segment.alive():
            self.close()
            self._segment = _Segment(name)
        return self._segment


def read(name: str, offset: int, generation: int) -> bytes:
    """Return a copy of one block; raises as `LatentReader.view`."""
    return LatentReader().view(name, offset, generation).tobytes()


def _lock(file: int, offset: int, kind: int) -> bool:
    """Lock or unlock the block at `offset` for one open file; return False when another one has locked it."""
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, FLOCK.pack(kind, os.SEEK_SET, offset, 1, 0))
    except BlockingIOError:
        return False
    return True
