"""Batches from the filter to the process that writes them, through shared memory: nothing here waits or enters the kernel.

Two counters, of bytes ever put in and ever taken out, and a ring of bytes; each is written by one side only. The reader takes
what was there one poll earlier, so that on no processor does it see a counter before the bytes that it counts. A short
message goes the other way, between two counts of it. A socket tells each side when the other has ended.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
from collections.abc import Iterator

SIZE = 1 << 23
"""Bytes of the ring: about a minute of records."""
START = 4096
"""Counters and the message lie before the ring."""
PUT, TAKEN, POLLS, MESSAGES, MESSAGE = 0, 8, 16, 24, 64
"""Offsets of the counters (bytes put in, bytes taken out, polls, twice the messages) and of the newest message."""
LENGTH = struct.Struct("<I")
UNPOLLED_BATCHES = 64
"""After so many batches without a poll of the reader, the socket is asked whether the reader has ended."""


def create_memory() -> int:
    """Return the file descriptor of the memory of a new ring."""
    memory = os.memfd_create("audit log", os.MFD_CLOEXEC)
    os.ftruncate(memory, START + SIZE)
    return memory


class Ring:
    """One side. Args: memory: file descriptor of the ring. other: socket whose other end the other side holds."""

    def __init__(self, memory: int, other: socket.socket) -> None:
        self._map = mmap.mmap(memory, START + SIZE)
        # One store of eight bytes each: struct.pack_into clears the place first, which the other side can see.
        self._counters = memoryview(self._map)[:MESSAGE].cast("Q")
        self._other = other
        self._put = self._taken = self._messages = 0
        self._polls = self._unpolled = 0

    # The filter's side

    def send(self, batch: bytes) -> None:
        """Put a batch in.

        Raises:
            OSError: there is no room for it, or nobody takes it.
        """
        polls = self._count(POLLS)
        self._unpolled = self._unpolled + 1 if polls == self._polls else 0
        self._polls = polls
        if self._unpolled and self._unpolled % UNPOLLED_BATCHES == 0 and self._has_ended(0.0):
            self._unpolled -= 1  # asked again by the next batch
            raise BrokenPipeError("it has ended")
        data = LENGTH.pack(len(batch)) + batch
        if self._put + len(data) - self._count(TAKEN) > SIZE:
            raise BlockingIOError("no room")
        at = self._put % SIZE
        first = min(len(data), SIZE - at)
        self._map[START + at : START + at + first] = data[:first]
        self._map[START : START + len(data) - first] = data[first:]
        self._put += len(data)
        self._set(PUT, self._put)

    def abandoned(self) -> list[bytes]:
        """Take out and return the batches that a writer which has ended did not take."""
        taken, batches = self._count(TAKEN), []
        while taken < self._put:
            (length,) = LENGTH.unpack(self._bytes(taken, LENGTH.size))
            batches.append(self._bytes(taken + LENGTH.size, length))
            taken += LENGTH.size + length
        self._put = taken
        self._set(TAKEN, taken)
        return batches

    def receive_message(self) -> bytes:
        """Return the other side's newest message; empty: none since the last call."""
        messages = self._count(MESSAGES)
        if messages == self._messages or messages % 2:
            return b""
        message = self._slice(MESSAGE)
        if self._count(MESSAGES) != messages:
            return b""
        self._messages = messages
        return message

    def close(self) -> None:
        """Let the other side take what is there, and end."""
        self._other.close()

    # The writer's side

    def batches(self, pause_s: float) -> Iterator[bytes | None]:
        """Yield every batch, and None after each poll; ends when the other side has ended and all has been taken."""
        ended = False
        while not ended:
            put = self._count(PUT)
            ended = self._has_ended(pause_s)
            put = self._count(PUT) if ended else put
            while self._taken < put:
                (length,) = LENGTH.unpack(self._bytes(self._taken, LENGTH.size))
                yield self._bytes(self._taken + LENGTH.size, length)
                self._taken += LENGTH.size + length
                self._set(TAKEN, self._taken)
            self._polls += 1
            self._set(POLLS, self._polls)
            yield None

    def send_message(self, message: bytes) -> None:
        """Leave a message for the filter."""
        self._set(MESSAGES, self._messages + 1)
        data = LENGTH.pack(len(message)) + message
        self._map[MESSAGE : MESSAGE + len(data)] = data
        self._messages += 2
        self._set(MESSAGES, self._messages)

    def _has_ended(self, pause_s: float) -> bool:
        """Return whether the other side has ended, or ends within the pause."""
        self._other.settimeout(pause_s)
        try:
            return not self._other.recv(1)
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:
            return True

    def _bytes(self, position: int, length: int) -> bytes:
        at = position % SIZE
        first = self._map[START + at : START + min(SIZE, at + length)]
        return first + self._map[START : START + length - len(first)]

    def _slice(self, at: int) -> bytes:
        (length,) = LENGTH.unpack_from(self._map, at)
        return self._map[at + LENGTH.size : min(START, at + LENGTH.size + length)]

    def _count(self, at: int) -> int:
        return self._counters[at // 8]

    def _set(self, at: int, count: int) -> None:
        self._counters[at // 8] = count
