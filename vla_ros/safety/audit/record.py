"""The form of an audit log: records in a chain of hashes, in files that each begin with a header and a snapshot.

A record is  length (4 bytes, little-endian, of the payload) | kind (1) | crc32 of these five (4) | payload | link (16),
where link = blake2b(link before | kind | payload). Without the crc a damaged length would look like a log cut off. The
link before a file's first record stands in its own payload, the header, and
is the last link of the file before. Payloads are msgpack.
"""

from __future__ import annotations

import enum
import hashlib
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

SUFFIX = ".vlalog"
FORMAT = 6
"""Another one for each change of what a snapshot holds."""
LINK = 16
HEAD, CHECK = struct.Struct("<IB"), struct.Struct("<I")
HEAD_SIZE = HEAD.size + CHECK.size
LONGEST = 1 << 22
"""No payload is longer; a length beyond it is a damaged one."""
ORIGIN = bytes(LINK)
"""The link before the first record of all."""


class Kind(enum.IntEnum):
    """What a record holds. The calls are those of `SafetyFilter`, each with its arguments and what it answered."""

    HEADER = 1
    SNAPSHOT = 2
    TICK = 3
    COMMAND = 4
    JOINT_STATE = 5
    OBSTACLES = 6
    CALL = 7


class Damaged(Exception):
    """A log does not hold what was written; the text names the file and the place."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record. offset: of its first byte in the file. values: the payload unpacked."""

    kind: Kind
    values: Any
    offset: int


def link(before: bytes, kind: int, payload: bytes) -> bytes:
    """The next link of the chain."""
    return hashlib.blake2b(before + bytes((kind,)) + payload, digest_size=LINK).digest()


def framed(before: bytes, kind: int, payload: bytes) -> tuple[bytes, bytes]:
    """Bytes of a record, and its link."""
    after = link(before, kind, payload)
    head = HEAD.pack(len(payload), kind)
    return head + CHECK.pack(zlib.crc32(head)) + payload + after, after


def records(batch: bytes) -> int:
    """How many records stand in a batch of whole ones."""
    count = offset = 0
    while offset < len(batch):
        length, _ = HEAD.unpack_from(batch, offset)
        offset += HEAD_SIZE + length + LINK
        count += 1
    return count


def pack(values: Any) -> bytes:
    """Payload of plain values: exact for floats, whole numbers up to 64 bit, text."""
    packed: bytes = msgpack.packb(values)
    return packed


class Reader:
    """The records of one file, in order.

    cut: whether the file ends within a record; known after the last one. last: link of the last whole record.

    Raises:
        Damaged: when iterated over, where a record is not what was written.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut = False
        self.last = ORIGIN
        self._bytes = path.read_bytes()

    def __iter__(self) -> Iterator[Record]:
        offset = 0
        while offset < len(self._bytes):
            if len(self._bytes) - offset < HEAD_SIZE:
                self.cut = True
                return
            length, kind = HEAD.unpack_from(self._bytes, offset)
            end = offset + HEAD_SIZE + length + LINK
            head = self._bytes[offset : offset + HEAD.size]
            if CHECK.unpack_from(self._bytes, offset + HEAD.size) != (zlib.crc32(head),) or length > LONGEST:
                raise self._damaged(offset, "its head is not what was written")
            if end > len(self._bytes):
                self.cut = True
                return
            payload = self._bytes[offset + HEAD_SIZE : end - LINK]
            try:
                known = Kind(kind)
                values: Any = msgpack.unpackb(payload, strict_map_key=False)
                if offset == 0:
                    self.last = bytes.fromhex(values["continues"])
            except Exception as error:
                raise self._damaged(offset, f"it cannot be read ({type(error).__name__}: {error})") from None
            after = link(self.last, kind, payload)
            if after != self._bytes[end - LINK : end]:
                raise self._damaged(offset, "its hash is not that of its bytes")
            if (offset == 0) is not (known is Kind.HEADER):
                raise self._damaged(offset, "the header is not where it belongs")
            self.last = after
            yield Record(known, values, offset)
            offset = end

    def _damaged(self, offset: int, what: str) -> Damaged:
        return Damaged(f"{self.path}: the record at byte {offset} has been damaged: {what}")


def files(path: Path) -> list[Path]:
    """Return the files of a log: the file itself, or all regular ones in a folder, oldest first.

    Raises:
        FileNotFoundError: there is none; the text says where.
    """
    found = [path] if path.is_file() else sorted(each for each in path.glob(f"*{SUFFIX}") if is_regular(each))
    if not found:
        raise FileNotFoundError(f"{path}: no audit log here (a file or a folder of *{SUFFIX} files is expected)")
    return found


def skipped(path: Path) -> list[str]:
    """Return a line for each thing in a log's folder that is named like a file of it and is none."""
    if path.is_file():
        return []
    kinds = ((Path.is_symlink, "a symbolic link"), (Path.is_dir, "a folder"), (Path.is_fifo, "a named pipe"))
    return [
        f"{each.name} is {next((kind for test, kind in kinds if test(each)), 'no regular file')} and was skipped"
        for each in sorted(path.glob(f"*{SUFFIX}"))
        if not is_regular(each)
    ]


def is_regular(path: Path) -> bool:
    """Return whether a path is a file itself: no link, no named pipe, on which a reader would wait, no device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def process(path: Path) -> str:
    """Return which process wrote a file, by its name."""
    return path.stem.rsplit("-", 1)[0].rsplit("-", 1)[-1]
