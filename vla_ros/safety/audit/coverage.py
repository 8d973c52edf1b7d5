"""Which part of a folder's history its files cover: from when to when, what was deleted, what is missing."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from vla_ros.safety.audit import history
from vla_ros.safety.audit.history import Preface
from vla_ros.safety.audit.record import number, process


@dataclasses.dataclass
class FileCoverage:
    """One file that was read. last: its last link, as hex; empty: it is damaged. seconds: of filter time in it."""

    path: Path
    preface: Preface | None
    last: str
    seconds: float

    @property
    def number(self) -> int:
        """Its number in the folder; 0: it has none."""
        return number(self.path) if self.preface is None else self.preface.number


def in_order(paths: list[Path]) -> list[Path]:
    """Return files in the order in which they were begun: by the numbers in them, whatever their names and clocks say."""

    def key(path: Path) -> tuple[int, str]:
        preface = history.read_preface(path)
        return number(path) if preface is None else preface.number, path.name

    return sorted(paths, key=key)


def broken_links(files: list[FileCoverage]) -> list[str]:
    """Return a line for each file that is not what its name or the file behind it says."""
    found = []
    by_number = {each.number: each for each in files}
    for each in files:
        preface = each.preface
        if preface is None:
            found.append(f"{each.path.name} does not say which file came before it: its first record is missing")
            continue
        if number(each.path) not in (0, preface.number):
            found.append(f"{each.path.name} is the file number {preface.number}: it has been renamed")
        before = by_number.get(preface.previous)
        if before is not None and before.last and preface.previous_link not in ("", before.last):
            found.append(
                f"{before.path.name} does not end as it did when {each.path.name} was begun: it has been changed"
            )
    numbers = [each.number for each in files]
    found += [
        f"{each.path.name} has the number of another file, {each.number}"
        for i, each in enumerate(files)
        if each.number in numbers[:i]
    ]
    return found


def missing(files: list[FileCoverage]) -> history.Stretches:
    """Return the numbers of files that no filter has deleted and that are not there."""
    newest = newest_preface(files)
    if newest is None:
        return []
    present = [each.number for each in files]
    return history.without([*newest.missing, *newest.kept], present)


def newest_preface(files: list[FileCoverage]) -> Preface | None:
    """Return what the newest file says of the others."""
    return max((each.preface for each in files if each.preface), key=lambda each: each.number, default=None)


def lines(files: list[FileCoverage]) -> list[str]:
    """Return what the files cover, for people: each stretch of files that follow each other, then what was deleted."""
    found = []
    for first, last in _runs(files):
        begun, ended = files[first], files[last]
        numbers = f"file {begun.number}" if first == last else f"files {begun.number} to {ended.number}"
        since = "" if begun.preface is None else f" from {utc(begun.preface.utc_ns)}"
        until = "" if ended.preface is None else f" to {utc(ended.preface.utc_ns + round(ended.seconds * 1e9))}"
        found.append(f"covers{since}{until} ({numbers})")
    newest = newest_preface(files)
    if newest is not None and newest.deleted_files:
        found.append(
            f"{newest.deleted_files} older files ({newest.deleted_bytes / 1e6:.1f} MB) were deleted to make room, "
            f"{newest.deleted_latches} of them with a latch"
        )
    return found


def explained_by_deletion(file: FileCoverage, files: list[FileCoverage]) -> bool:
    """Return whether the file that this one continues has been deleted to make room: nothing else is missing."""
    newest, by_number = newest_preface(files), {each.number: each for each in files}
    if file.preface is None or newest is None or not newest.deleted_files or missing(files):
        return False
    before = by_number.get(file.preface.previous)
    return before is None or process(before.path) != process(file.path)


def _runs(files: list[FileCoverage]) -> list[tuple[int, int]]:
    """First and last index of the files that follow each other without a gap."""
    found: list[tuple[int, int]] = []
    for i, each in enumerate(files):
        follows = found and each.preface is not None and each.preface.previous == files[i - 1].number
        if follows:
            found[-1] = found[-1][0], i
        else:
            found.append((i, i))
    return found


def utc(utc_ns: int) -> str:
    """Return a time for people."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(utc_ns // 10**9))
    except (OverflowError, ValueError, OSError):
        return f"{utc_ns} ns"
