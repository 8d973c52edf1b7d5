"""The form of an audit log: records in a chain of hashes, in files that each begin with a header and a snapshot.

A record is  length (4 bytes, little-endian, of the payload) | kind (1) | crc32 of these five (4) | payload | link (16),
where link = blake2b(link before | kind | payload). Without the crc a damaged length would look like a log cut off. Payloads
are msgpack. A file begins with a preface of the process that writes it (`history`): which file of the folder came before,
with its last link, and the link of the header that follows. The link before the header stands in the header's own payload:
the last one that the filter handed over.
"""

from __future__ import annotations

import enum
import errno
import hashlib
import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgpack

SUFFIX = ".vlalog"
NAME = re.compile(rf"audit-\d{{8}}T\d{{6}}Z-(\d+)-(\d+)(-latch)?{re.escape(SUFFIX)}")
"""Name of a file: when it was begun, the process, the number in its folder, and whether it holds a latch."""
FORMAT = 9
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
    PREFACE = 8
    CUT = 9


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


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes of one record. offset: of its first byte in the file. end: of the byte behind it."""

    kind: int
    payload: bytes
    link: bytes
    offset: int
    end: int


def frames(path: Path) -> Iterator[Frame | None]:
    """Yield the records of a file as bytes, and None at the end of a file that ends within a record.

    Nothing that is put in the place of a file makes this wait, and no more than one record is in memory.

    Raises:
        Damaged: the head of a record is not what was written.
        OSError: the file cannot be read.
    """
    with open_regular(path) as file:
        size, offset = os.fstat(file.fileno()).st_size, 0
        while offset < size:
            head = file.read(HEAD_SIZE)
            if len(head) < HEAD_SIZE:
                yield None
                return
            length, kind = HEAD.unpack_from(head)
            if CHECK.unpack_from(head, HEAD.size) != (zlib.crc32(head[: HEAD.size]),) or length > LONGEST:
                raise damaged(path, offset, "its head is not what was written")
            rest = file.read(length + LINK)
            if len(rest) < length + LINK:
                yield None
                return
            end = offset + HEAD_SIZE + length + LINK
            yield Frame(kind, rest[:length], rest[length:], offset, end)
            offset = end


class Reader:
    """The records of one file, in order; the preface is none of them.

    preface: what the file says of those before it; None: nothing. cut: whether the file ends within a record; both are known
    after the last record. last: link of the last whole record.

    Raises:
        Damaged: when iterated over, where a record is not what was written.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut = False
        self.last = ORIGIN
        self.preface: dict[str, Any] | None = None

    def __iter__(self) -> Iterator[Record]:
        begun = False
        for frame in frames(self.path):
            if frame is None:
                self.cut = True
                return
            try:
                kind = Kind(frame.kind)
                values: Any = msgpack.unpackb(frame.payload, strict_map_key=False)
                if kind is Kind.PREFACE:
                    self.last, header_link = bytes.fromhex(values["previous_link"]), bytes.fromhex(values["begins"])
                elif not begun:
                    self.last = bytes.fromhex(values["continues"])
            except Exception as error:
                raise damaged(self.path, frame.offset, f"it cannot be read ({type(error).__name__}: {error})") from None
            if link(self.last, frame.kind, frame.payload) != frame.link:
                raise damaged(self.path, frame.offset, "its hash is not that of its bytes")
            if (kind is Kind.PREFACE and frame.offset > 0) or (
                kind is not Kind.PREFACE and begun is (kind is Kind.HEADER)
            ):
                raise damaged(self.path, frame.offset, "the header is not where it belongs")
            if kind is Kind.HEADER and self.preface is not None and frame.link != header_link:
                raise damaged(self.path, frame.offset, "it is not the header that the file was begun with")
            self.last = frame.link
            if kind is Kind.PREFACE:
                self.preface = values
                continue
            begun = True
            yield Record(kind, values, frame.offset)


def damaged(path: Path, offset: int, what: str) -> Damaged:
    """Return the error for a record that is not what was written."""
    return Damaged(f"{path}: the record at byte {offset} has been damaged: {what}")


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read it. Whatever else has its name, a link, a named pipe, a device, neither is followed nor waited for.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def files(path: Path) -> list[Path]:
    """Return the files of a log: the file itself, or all regular ones in a folder, oldest first by their names.

    Raises:
        FileNotFoundError: there is none; the text says where.
    """
    found = [path.resolve()] if path.is_file() else [each for each in _named(path) if is_regular(each)]
    if not found:
        raise FileNotFoundError(f"{path}: no audit log here (a file or a folder of *{SUFFIX} files is expected)")
    return found


def skipped(path: Path) -> list[str]:
    """Return a line for each thing in a log's folder that is named like a file of it and is none."""
    if path.is_file():
        return []
    kinds = (
        (Path.is_symlink, "a symbolic link"),
        (Path.is_dir, "a folder"),
        (Path.is_fifo, "a named pipe"),
        (Path.is_socket, "a socket"),
    )
    return [
        f"{each.name} is {next((kind for test, kind in kinds if test(each)), 'no regular file')} and was skipped"
        for each in _named(path)
        if not is_regular(each)
    ]


def _named(folder: Path) -> list[Path]:
    """All in a folder that has the suffix of a log, by name."""
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def is_regular(path: Path) -> bool:
    """Return whether a path is a file itself: no link, no named pipe, on which a reader would wait, no device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def process(path: Path) -> str:
    """Return which process wrote a file, by its name."""
    named = NAME.fullmatch(path.name)
    return named[1] if named else path.stem


def number(path: Path) -> int:
    """Return the number of a file in its folder, by its name; 0: it has none."""
    named = NAME.fullmatch(path.name)
    return int(named[2]) if named else 0
