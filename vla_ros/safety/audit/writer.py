"""The process that writes an audit log to disk: `python -m vla_ros.safety.audit.writer MEMORY SOCKET FOLDER BYTES FILES`.

It takes whole batches of records from a ring (`ring`) and owns everything that may be slow or fail. A batch that begins
with a header begins a file. When a file is full and after a failure it requests a header, in its message to the filter.
Until one comes it drops the batches and counts their records.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgpack

from vla_ros.safety.audit.record import HEAD, SUFFIX, Kind, is_regular, records
from vla_ros.safety.audit.ring import Ring

PAUSE_S = 0.02
"""Between two polls of the ring."""
RETRY_S = 1.0
SYNC_S = 1.0

Open = Callable[[Path], BinaryIO]


class LogWriter:
    """Args: folder: of the files. size: bytes after which a new one is begun. count: files kept. open_file: opens one."""

    def __init__(
        self, folder: Path, size: int, count: int, open_file: Open = lambda path: path.open("xb", buffering=0)
    ) -> None:
        self.problem = ""
        self.lost = 0
        self._folder = folder
        self._size = size
        self._count = count
        self._open = open_file
        self._file: BinaryIO | None = None
        self._path = folder
        self._written = 0
        self._file_number = 0

    @property
    def wants_header(self) -> bool:
        """Whether the next batch should begin a file."""
        return self._file is None or self._written >= self._size

    def write(self, batch: bytes) -> None:
        """Write a batch, or count what is in it as lost and say why."""
        begins = batch[HEAD.size - 1] == Kind.HEADER
        try:
            if begins:
                self.close()
                self._begin_file()
            elif self._file is not None and not self._path.exists():
                raise FileNotFoundError(f"{self._path} has been removed")
            if self._file is None:
                self.lost += records(batch)
                return
            view = memoryview(batch)
            while view:
                view = view[self._file.write(view) :]
            self._written += len(batch)
            self.problem = ""
            if begins:  # only now is there a new file to keep instead
                self._delete_oldest()
        except OSError as error:
            self.lost += records(batch)
            self.problem = f"audit log: {error.strerror or error} ({self._folder}); records are being lost"
            self._discard_file()

    def sync(self) -> None:
        """Have the disk take over what has been written."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """End the file."""
        if self._file is not None:
            self.sync()
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _begin_file(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file_number += 1
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self._path = self._folder / f"audit-{stamp}-{os.getpid()}-{self._file_number:05d}{SUFFIX}"
        self._file = self._open(self._path)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._written = 0

    def _delete_oldest(self) -> None:
        """Delete the oldest files beyond the number to be kept, by when they were last written, whatever the clock said."""
        found = (path for path in self._folder.glob(f"*{SUFFIX}") if is_regular(path))
        old = sorted(found, key=lambda path: path.stat().st_mtime_ns)
        for path in old[: max(0, len(old) - self._count)]:
            with path.open("rb") as file, contextlib.suppress(BlockingIOError):  # another filter writes it
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()

    def _discard_file(self) -> None:
        """End a file whose last batch failed, without the part of it that may have been written."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(self._written)
            with contextlib.suppress(OSError):
                self._file.close()
            if not self._written:
                with contextlib.suppress(OSError):
                    self._path.unlink()
            self._file = None


def serve(ring: Ring, writer: LogWriter) -> None:
    """Write what comes until the filter has ended."""
    requested_s = synced_s = 0.0
    requests = 0  # counted: the filter reads the newest message only, which may not be the one with the request
    sent: tuple[int, str, int] = (0, "", 0)
    for batch in ring.batches(PAUSE_S):
        if batch is not None:
            writer.write(batch)
        now_s = time.monotonic()
        if now_s - synced_s > SYNC_S:
            writer.sync()
            synced_s = now_s
        if writer.wants_header and now_s - requested_s > RETRY_S:
            requests, requested_s = requests + 1, now_s
        if sent != (requests, writer.problem, writer.lost):
            sent = requests, writer.problem, writer.lost
            ring.send_message(msgpack.packb(sent))
    writer.close()


def main(arguments: list[str]) -> None:
    memory, other, folder, size, count = arguments
    with contextlib.suppress(OSError):
        os.nice(10)
    with contextlib.suppress(KeyboardInterrupt):
        ring = Ring(int(memory), socket.socket(fileno=int(other)))
        serve(ring, LogWriter(Path(folder), int(size), int(count)))


if __name__ == "__main__":
    main(sys.argv[1:])
