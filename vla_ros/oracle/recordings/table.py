"""Reads CSV: anybody's (time in s, then one column per joint), and the simulated controller's log."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from vla_ros.oracle.recordings.selection import RecordingSelection, UnreadableRecording
from vla_ros.oracle.stream import PICO, Stream


def read(path: Path, selection: RecordingSelection) -> list[Stream]:
    """Return one stream.

    Raises:
        UnreadableRecording: with the file, the line and what to do.
    """
    try:
        with path.open(newline="") as file:
            rows = csv.reader(file)
            header = [cell.strip() for cell in next(rows, [])]
            columns, notes = _columns(path, header, selection)
            fresh = header.index("fresh") if "fresh" in header and selection.signal == "command" else None
            stamps, cells = _cells(path, rows, len(header), list(columns.values()), fresh, notes)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableRecording(f"{path}: {error}") from None
    if not stamps:
        raise UnreadableRecording(f"{path}: there are no samples below the header")
    positions = np.array([[float(cell) if cell else math.nan for cell in row] for row in cells])
    stamps_ps = [int((stamp - stamps[0]) * PICO) for stamp in stamps]
    half_unit = tuple(_half_unit(row[i] for row in cells) for i in range(len(columns)))
    if any(half_unit):
        notes.append(f"positions are written in a fixed format: up to {max(half_unit):.1e} of rounding is allowed for")
    return [Stream(tuple(columns), np.array(stamps_ps, np.int64), positions, half_unit, notes=tuple(notes))]


def _columns(path: Path, header: list[str], selection: RecordingSelection) -> tuple[dict[str, int], list[str]]:
    """JudgedJoint → column, and notes. The simulated controller's columns are named <signal>_<joint>."""
    prefix = f"{selection.signal}_" if any(name.startswith(f"{selection.signal}_") for name in header) else ""
    columns = {joint: header.index(prefix + joint) for joint in selection.joints if prefix + joint in header[1:]}
    if not columns:
        named = ", ".join(header[1:]) or "nothing"
        raise UnreadableRecording(
            f"{path}:1: the header must name the time and then joints ({', '.join(selection.joints)}), it names {named}; "
            "give the configuration of that arm, or write the header"
        )
    others = [name for i, name in enumerate(header[1:], 1) if i not in columns.values()]
    notes = [f"signal {selection.signal}"] if prefix else []
    if others and not prefix:
        notes.append(f"not judged, because no limits are known: {', '.join(others)}")
    return columns, notes


def _cells(
    path: Path, rows: Iterator[list[str]], width: int, columns: list[int], fresh: int | None, notes: list[str]
) -> tuple[list[Decimal], list[list[str]]]:
    stamps: list[Decimal] = []
    cells: list[list[str]] = []
    cut = 0
    for number, row in enumerate(rows, 2):
        if cut:
            raise UnreadableRecording(f"{path}:{cut}: not {width} numbers as the header says")
        if not row:
            continue
        try:
            stamp = Decimal(row[0].strip())
            chosen = [row[i].strip() for i in columns]
            for cell in chosen:
                float(cell or "nan")
            if len(row) != width or not stamp.is_finite():
                raise IndexError
        except (IndexError, ValueError, InvalidOperation):
            cut = number  # the last line of a recording that was cut off is no fault of the stream
            continue
        if fresh is None or row[fresh].strip() == "1":
            stamps.append(stamp)
            cells.append(chosen)
    if cut:
        notes.append(f"the recording ends in a line that is cut off (line {cut})")
    return stamps, cells


def _half_unit(cells: Iterator[str]) -> float:
    """Half of the last digit where every cell has equally many, at least three; numbers of other lengths are exact."""
    digits = {
        -1 if "e" in cell or "n" in cell else len(cell.partition(".")[2]) for cell in map(str.lower, cells) if cell
    }
    (count,) = digits if len(digits) == 1 else (0,)
    return 0.5 * 10.0**-count if count >= 3 else 0.0
