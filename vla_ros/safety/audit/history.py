"""The preface of each file of a log: which files of its folder came before it, and what became of them.

Files of a folder are numbered. A preface holds the number of its file, the last link of the file before, the numbers of the
files that were there when it was begun, how many had been deleted until then to make room, and which were missing without
having been deleted. So a replay knows what is missing of a folder's history, however many filters wrote there one after the
other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import msgpack

from vla_ros.safety.audit.record import ORIGIN, Damaged, Frame, Kind, framed, frames, link, pack

MOST_MISSING = 1000
"""So many stretches of missing numbers are remembered."""

Stretches = list[list[int]]
"""Whole numbers in stretches: first and last of each."""


@dataclass(frozen=True)
class Preface:
    """What a file says of those before it in its folder.

    number: its own. utc_ns: when it was begun, by the clock of its computer. previous: number of the file before; 0: there
    was none. previous_link: last link of that file; empty: it was not read, since another filter wrote it. kept: numbers of
    the files that were there and stayed. missing: of those that were gone and that no filter had deleted. deleted_files,
    deleted_bytes, deleted_latches: all that was deleted in the folder until then to make room, and how many of these files
    held a latch. begins: link of the header that follows.
    """

    number: int
    utc_ns: int
    previous: int = 0
    previous_link: str = ORIGIN.hex()
    kept: Stretches = field(default_factory=list)
    missing: Stretches = field(default_factory=list)
    deleted_files: int = 0
    deleted_bytes: int = 0
    deleted_latches: int = 0
    begins: str = ORIGIN.hex()

    def record(self) -> bytes:
        """Return the bytes of its record."""
        return framed(bytes.fromhex(self.previous_link), Kind.PREFACE, pack(asdict(self)))[0]


def preface_of(values: Any) -> Preface:
    """Return the preface of plain values.

    Raises:
        ValueError: they are not such.
    """
    if not isinstance(values, dict) or set(values) != {each.name for each in fields(Preface)}:
        raise ValueError("it does not hold what a preface holds")
    for name, value in values.items():
        if name in ("previous_link", "begins"):
            bytes.fromhex(value)
        elif name in ("kept", "missing"):
            if not all(type(first) is type(last) is int and first <= last for first, last in value):
                raise ValueError(f"{name}: {value!r:.80} are no stretches of numbers")
        elif type(value) is not int:
            raise ValueError(f"{name}: {value!r:.80} is no whole number")
    return Preface(**values)


def read_preface(path: Path) -> Preface | None:
    """Return the preface of a file; None: it has none that can be read."""
    with contextlib.suppress(Exception):
        first = next(frames(path), None)
        if isinstance(first, Frame) and first.kind == Kind.PREFACE:
            preface = preface_of(msgpack.unpackb(first.payload))
            if link(bytes.fromhex(preface.previous_link), first.kind, first.payload) == first.link:
                return preface
    return None


def last_link(path: Path) -> str:
    """Return the link of the last whole record of a file, as hex; that of nothing where there is none."""
    found = ORIGIN
    with contextlib.suppress(Damaged, OSError):
        for frame in frames(path):
            if frame is None:
                break
            found = frame.link
    return found.hex()


def stretches(numbers: Iterable[int]) -> Stretches:
    """Return whole numbers as stretches."""
    found: Stretches = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def contains(given: Sequence[Sequence[int]], number: int) -> bool:
    """Return whether a number lies in one of the stretches."""
    return any(first <= number <= last for first, last in given)


def without(given: Sequence[Sequence[int]], present: Iterable[int]) -> Stretches:
    """Return the stretches without some numbers. The work is bounded by the numbers and stretches, not by their values."""
    found: Stretches = []
    ordered = sorted(set(present))
    for first, last in given:
        at = first
        for number in (each for each in ordered if first <= each <= last):
            if at < number:
                found.append([at, number - 1])
            at = number + 1
        if at <= last:
            found.append([at, last])
    return found


def text(given: Sequence[Sequence[int]]) -> str:
    """Return stretches for people: 1, 3 to 5."""
    return ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in given)


def count(given: Sequence[Sequence[int]]) -> int:
    """Return how many numbers lie in the stretches."""
    return sum(last - first + 1 for first, last in given)
