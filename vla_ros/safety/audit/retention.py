"""Which files of a log make room for a new one.

total bytes of a folder <= audit.total_mb. The oldest file goes first, but those that hold a latch go last: the newest
audit.keep_incidents of them stay as long as anything else can go. Only files that the filter has named, and that no other
filter writes, are ever deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vla_ros.safety.audit.record import NAME, SUFFIX, is_regular, open_regular

GROWTH = 1.25
"""A file may grow beyond its size until the filter has sent the header of the next one."""


@dataclass(frozen=True)
class StoredFile:
    """A file of a log. latch: whether it holds one, or the seconds before one."""

    path: Path
    number: int
    bytes: int
    latch: bool


def stored_files(folder: Path) -> list[StoredFile]:
    """Return the files of a folder that a filter wrote, oldest first: by number, then by when they were last written."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        named = NAME.fullmatch(path.name)
        if named and is_regular(path):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                stored = StoredFile(path, int(named[2]), status.st_size, bool(named[3]))
                found.append((stored.number, status.st_mtime_ns, path.name, stored))
    return [stored for *_, stored in sorted(found)]


def in_order_of_deletion(files: Sequence[StoredFile], keep_incidents: int) -> list[StoredFile]:
    """Return files, oldest first, in the order in which they go."""
    latched = [each for each in files if each.latch]
    kept = latched[max(0, len(latched) - keep_incidents) :]
    return [each for each in files if each not in kept] + kept


@dataclass(frozen=True)
class Claimed:
    """A file that is going to be deleted, locked."""

    stored: StoredFile
    file: BinaryIO

    def delete(self) -> None:
        """Delete it and release the lock."""
        with self.file, contextlib.suppress(FileNotFoundError):
            self.stored.path.unlink()

    def release(self) -> None:
        """Keep it."""
        self.file.close()


def claim(files: Sequence[StoredFile], keep_incidents: int, excess_bytes: int) -> list[Claimed]:
    """Lock as many files as free so many bytes, in the order in which they go; those that others write are left out."""
    found: list[Claimed] = []
    for stored in in_order_of_deletion(files, keep_incidents):
        if excess_bytes <= 0:
            break
        with contextlib.suppress(OSError):
            file = open_regular(stored.path)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            found.append(Claimed(stored, file))
            excess_bytes -= stored.bytes
    return found
