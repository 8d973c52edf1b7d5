"""The process that writes an audit log to disk: `python -m vla_ros.safety.audit.writer MEMORY SOCKET FOLDER SIZES`.

It takes whole batches of records from a ring (`ring`) and owns everything that may be slow or fail. A batch that begins
with a header begins a file. When a file is full and after a failure it requests a header, in its message to the filter.
Until one comes it drops the batches and counts their records. SIZES: of a file, of the folder (bytes), latched files kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgpack

from vla_ros.safety.audit import history
from vla_ros.safety.audit.history import Preface
from vla_ros.safety.audit.latch_watch import LatchWatch
from vla_ros.safety.audit.record import HEAD, HEAD_SIZE, LINK, ORIGIN, SUFFIX, Kind, records
from vla_ros.safety.audit.retention import GROWTH, Claimed, StoredFile, claim, stored_files
from vla_ros.safety.audit.ring import Ring

PAUSE_S = 0.02
"""Between two polls of the ring."""
RETRY_S = 1.0
SYNC_S = 1.0

Open = Callable[[Path], BinaryIO]


@dataclass(frozen=True)
class LogSizes:
    """file: bytes after which a new one is begun. total: bytes of all files of the folder. keep_incidents: files with a latch
    that go last.
    """

    file: int
    total: int
    keep_incidents: int


def open_new(path: Path) -> BinaryIO:
    """Make a file that was not there."""
    return path.open("xb", buffering=0)


class LogWriter:
    """Args: folder: of the files. sizes: how much is kept. open_file: makes one.

    problem: why records are being lost; empty: none are. lost: records. deleted_files, deleted_latches: files that were
    deleted in the folder to make room, ever, and how many of them held a latch.
    """

    def __init__(self, folder: Path, sizes: LogSizes, open_file: Open = open_new) -> None:
        self.problem = ""
        self.lost = self.deleted_files = self.deleted_latches = 0
        self._folder = folder
        self._sizes = sizes
        self._open = open_file
        self._file: BinaryIO | None = None
        self._path = folder
        self._written = 0
        self._number = self._number_before = 0
        self._link = ORIGIN.hex()
        self._latch = LatchWatch()

    @property
    def wants_header(self) -> bool:
        """Whether the next batch should begin a file."""
        return self._file is None or self._written >= self._sizes.file

    def write(self, batch: bytes) -> None:
        """Write a batch, or count what is in it as lost and say why."""
        try:
            if batch[HEAD.size - 1] == Kind.HEADER:
                self.close()
                with _locked(self._folder):
                    self._begin_file(batch)
            elif self._file is not None and not self._path.exists():
                raise FileNotFoundError(f"{self._path} has been removed")
            else:
                self._append(batch)
        except OSError as error:
            self.lost += records(batch)
            self.problem = f"audit log: {error.strerror or error} ({self._folder}); records are being lost"
            self._discard_file()
        else:
            self._mark_latch(batch)

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

    def _append(self, batch: bytes) -> None:
        if self._file is None:
            self.lost += records(batch)
            return
        self._put(batch)
        self._link = batch[-LINK:].hex()
        self.problem = ""

    def _put(self, data: bytes) -> None:
        assert self._file is not None
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._written += len(data)

    def _begin_file(self, batch: bytes) -> None:
        """Begin a file with what came before it, then delete what it replaces: only now is there a file to keep instead."""
        before = stored_files(self._folder)
        room = max(round(self._sizes.file * GROWTH), len(batch))
        claimed = claim(
            before, self._sizes.keep_incidents, sum(each.bytes for each in before) + room - self._sizes.total
        )
        try:
            preface = self._preface(batch, before, claimed)
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(preface.utc_ns // 10**9))
            self._path = self._folder / f"audit-{stamp}-{os.getpid()}-{preface.number:05d}{SUFFIX}"
            self._file = self._open(self._path)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._written = 0
            self._put(preface.record())
            self._append(batch)
        except OSError:
            self._written = 0  # nothing of it stays
            for each in claimed:
                each.release()
            raise
        for each in claimed:
            each.delete()
        self._sync_folder()
        self._number_before, self._number = self._number, preface.number
        self.deleted_files, self.deleted_latches = preface.deleted_files, preface.deleted_latches

    def _preface(self, batch: bytes, before: list[StoredFile], claimed: list[Claimed]) -> Preface:
        """What the new file says of those before it."""
        length, _ = HEAD.unpack_from(batch)
        begins = batch[HEAD_SIZE + length : HEAD_SIZE + length + LINK].hex()
        last = newest_preface(before)
        gone = [each.stored for each in claimed]
        kept = history.stretches(each.number for each in before if each not in gone)
        present = [each.number for each in before]
        known = [[self._number, self._number]] if self._number else []
        known += [*last.kept, [last.number, last.number]] if last else []
        missing = [*(last.missing if last else []), *history.without(known, present)]
        previous = max(present, default=0)
        own = previous == self._number and previous > 0
        newest = next((each for each in reversed(before) if each.number == previous), None)
        return Preface(
            number=max(previous, self._number, last.number if last else 0) + 1,
            utc_ns=time.time_ns(),
            previous=previous,
            previous_link=self._link
            if own
            else ""
            if newest is None or _in_use(newest)
            else history.last_link(newest.path),
            kept=kept,
            missing=history.without(missing, present)[-history.MOST_MISSING :],
            deleted_files=(last.deleted_files if last else 0) + len(gone),
            deleted_bytes=(last.deleted_bytes if last else 0) + sum(each.bytes for each in gone),
            deleted_latches=(last.deleted_latches if last else 0) + sum(each.latch for each in gone),
            begins=begins,
        )

    def _mark_latch(self, batch: bytes) -> None:
        """Name the file after a latch that a batch holds, and the file before when the seconds before the latch are in it."""
        found = self._latch.found_in(batch)
        if not found or self._file is None:
            return
        self.sync()
        numbers = (self._number, self._number_before if found.needs_file_before else self._number)
        for each in stored_files(self._folder):
            if each.number in numbers and not each.latch:
                marked = each.path.with_name(f"{each.path.stem}-latch{SUFFIX}")
                with contextlib.suppress(OSError):
                    each.path.rename(marked)
                    if each.path == self._path:
                        self._path = marked
        self._sync_folder()

    def _sync_folder(self) -> None:
        """Have the disk take over the names."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

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


def newest_preface(files: list[StoredFile]) -> Preface | None:
    """Return the preface of the newest file that has one."""
    return next(filter(None, (history.read_preface(each.path) for each in reversed(files))), None)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make a folder, and let no other writer begin a file in it meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _in_use(stored: StoredFile) -> bool:
    """Whether another writer has it open."""
    locked = claim([stored], 0, 1)
    for each in locked:
        each.release()
    return not locked


def serve(ring: Ring, writer: LogWriter) -> None:
    """Write what comes until the filter has ended."""
    requested_s = synced_s = 0.0
    requests = 0  # counted: the filter reads the newest message only, which may not be the one with the request
    sent: tuple[int, str, int, int, int] = (0, "", 0, 0, 0)
    for batch in ring.batches(PAUSE_S):
        if batch is not None:
            writer.write(batch)
        now_s = time.monotonic()
        if now_s - synced_s > SYNC_S:
            writer.sync()
            synced_s = now_s
        if writer.wants_header and now_s - requested_s > RETRY_S:
            requests, requested_s = requests + 1, now_s
        told = requests, writer.problem, writer.lost, writer.deleted_files, writer.deleted_latches
        if sent != told:
            sent = told
            ring.send_message(msgpack.packb(sent))
    writer.close()


def main(arguments: list[str]) -> None:
    memory, other, folder, *sizes = arguments
    with contextlib.suppress(OSError):
        os.nice(10)
    with contextlib.suppress(KeyboardInterrupt):
        ring = Ring(int(memory), socket.socket(fileno=int(other)))
        serve(ring, LogWriter(Path(folder), LogSizes(*map(int, sizes))))


if __name__ == "__main__":
    main(sys.argv[1:])
