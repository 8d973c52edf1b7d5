"""The filter's own audit log: what it sent, tick by tick.

Only the form of the log is shared with the filter (`vla_ros.safety.audit.record`); nothing is recomputed here, see
`vla-ros replay` for that. The filter takes one step per tick and makes up for no tick that was missed, so its outputs are
judged one period apart, whatever the clock says; how many ticks were missed is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.oracle.recordings.choice import Choice, Unreadable
from vla_ros.oracle.stream import Stream
from vla_ros.safety.audit.record import SUFFIX, Damaged, Kind, Reader, Record, files


def is_log(path: Path) -> bool:
    """Whether a path is a file of an audit log, or a folder of them."""
    return path.suffix == SUFFIX or (path.is_dir() and any(path.glob(f"*{SUFFIX}")))


def header(path: Path) -> dict[str, Any]:
    """What the oldest file of a log says of the filter: parameters, URDF.

    Raises:
        Unreadable: it is damaged.
    """
    for record, _ in _records(path, []):
        values: dict[str, Any] = record.values
        return values
    raise Unreadable(f"{path}: the log is empty")


def read(path: Path, choice: Choice) -> list[Stream]:
    """One stream; a stretch ends where the filter sends nothing and where records are missing.

    Raises:
        Unreadable: a record is damaged, or nothing was sent.
    """
    if choice.signal != "command":
        raise Unreadable(f"--signal {choice.signal}: an audit log is judged by what was sent, --signal command")
    parameters = header(path)["parameters"]
    period_ns = round(parameters["period_s"] * 1e9)
    stamps_ns: list[int] = []
    rows: list[list[float]] = []
    starts: list[int] = []
    notes = ["obstacles are not judged"] if parameters["obstacle"]["timeout_s"] else []
    sending, missed = False, 0
    for record, missing in _records(path, notes):
        if missing:
            sending = False
        if record.kind is not Kind.TICK:
            continue
        now_ns, (_, positions, *_) = record.values
        if positions is not None:
            if not sending:
                starts.append(len(rows))
            else:
                missed += (now_ns - stamps_ns[-1]) // period_ns - 1
            stamps_ns.append(now_ns)
            rows.append(positions)
        sending = positions is not None
    if not rows:
        raise Unreadable(f"{path}: nothing was sent while this log was written")
    if missed:
        notes.append(f"{missed} ticks were missed: outputs count as one period apart")
    stamps_ps = (np.array(stamps_ns, np.int64) - stamps_ns[0]) * 1000
    names = tuple(parameters["joint_names"])
    return [
        Stream(names, stamps_ps, np.array(rows), starts=tuple(starts), period_ps=period_ns * 1000, notes=tuple(notes))
    ]


def _records(path: Path, notes: list[str]) -> Iterator[tuple[Record, bool]]:
    """Every record, oldest first, and whether some are missing before it; what is missing goes into the notes."""
    last, lost = b"", 0
    try:
        for file in files(path):
            reader = Reader(file)
            for record in reader:
                missing = False
                if record.kind is Kind.HEADER:
                    missing = record.values["lost"] > lost or last not in (
                        b"",
                        bytes.fromhex(record.values["continues"]),
                    )
                    lost = record.values["lost"]
                    if missing and last:
                        notes.append(f"records are missing before {file.name}")
                yield record, missing
            last = reader.last
            if reader.cut:
                notes.append(f"{file.name} ends in a record that is cut off")
    except (Damaged, OSError) as error:
        raise Unreadable(str(error)) from None
