"""What did the filter send, tick by tick, by its own audit log?

Only the form of the log is shared with the filter (`vla_ros.safety.audit.record`); nothing is recomputed here, see
`vla-ros replay` for that. The filter takes one step per tick and makes up for no tick that was missed, so its outputs are
judged one period apart, whatever the clock says; how many ticks were missed is noted.

A stretch of outputs begins when the filter is armed, and after a stall, with the arm at rest where it was then measured to
be: from there on everything is judged. Where records are missing it is not known how the arm moved; the first differences are
then open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.oracle.recordings.selection import NothingSent, RecordingSelection, UnreadableRecording
from vla_ros.oracle.stream import Stream
from vla_ros.safety.audit.record import ORIGIN, SUFFIX, Damaged, Kind, Reader, files


def is_log(path: Path) -> bool:
    """Return whether a path is a file of an audit log, or a folder of them."""
    return path.suffix == SUFFIX or (path.is_dir() and any(path.glob(f"*{SUFFIX}")))


def header(path: Path) -> dict[str, Any]:
    """Return what the oldest file of a log says of the filter: parameters, URDF.

    Raises:
        UnreadableRecording: it is damaged, or there is nothing in it.
    """
    try:
        for file in files(path):
            for record in Reader(file):
                values: dict[str, Any] = record.values
                return values
    except (Damaged, OSError) as error:
        raise UnreadableRecording(str(error)) from None
    raise UnreadableRecording(f"{path}: the log is empty")


def read(path: Path, selection: RecordingSelection) -> list[Stream]:
    """Return one stream per run of the filter that sent anything; the files of a run continue each other.

    Raises:
        UnreadableRecording: a record is damaged, runs had other limits than the first, or (NothingSent) nothing was sent.
    """
    if selection.signal != "command":
        raise UnreadableRecording(
            f"--signal {selection.signal}: an audit log is judged by what was sent, --signal command"
        )
    first = header(path)
    runs: list[_Run] = []
    ends: dict[bytes, _Run] = {}
    try:
        for file in files(path):
            run: _Run | None = None
            reader = Reader(file)
            for record in reader:
                if run is None:  # the header
                    run = _run_of(file, record.values, first, ends)
                    runs += [] if run in runs else [run]
                elif record.kind is Kind.TICK:
                    now_ns, (_, positions, *_) = record.values
                    run.tick(now_ns, positions)
                elif record.kind is Kind.JOINT_STATE:
                    (_, names, positions, *_), refusal = record.values
                    run.measured(names, positions, refusal is None)
                elif record.kind is Kind.CALL:
                    run.call(*record.values)
            if run is not None:
                ends[reader.last] = run
                run.notes += [f"{file.name} ends in a record that is cut off"] if reader.cut else []
    except (Damaged, OSError) as error:
        raise UnreadableRecording(str(error)) from None
    streams = [run.stream() for run in runs if run.rows]
    if not streams:
        raise NothingSent(f"{path}: nothing was sent while this log was written")
    return streams


class _Run:
    """What one run of the filter sent."""

    def __init__(self, file: Path, parameters: Mapping[str, Any]) -> None:
        self.rows: list[Sequence[float]] = []
        self.notes = [f"log {file.name}"]
        self.notes += ["obstacles are not judged"] if parameters["obstacle"]["timeout_s"] else []
        self.lost = 0
        self.sending: bool | None = None  # not known
        self._names = tuple(parameters["joint_names"])
        self._period_ns = round(parameters["period_s"] * 1e9)
        self._stamps_ns: list[int] = []
        self._starts: list[int] = []
        self._rests: dict[int, list[float]] = {}
        self._order: list[int] = []
        self._q: list[float] = []
        self._rest: list[float] = []
        self._missed = 0

    def tick(self, now_ns: int, positions: Sequence[float] | None) -> None:
        """Take over what one tick sent; None: nothing."""
        if positions is not None:
            if self.sending:
                self._missed += (now_ns - self._stamps_ns[-1]) // self._period_ns - 1
            else:
                rest = self._rest or self._q
                if rest and self.sending is False:
                    self._rests[len(self.rows)] = rest
                self._starts.append(len(self.rows))
            self._stamps_ns.append(now_ns)
            self.rows.append(positions)
        self.sending = positions is not None
        self._rest = []

    def measured(self, names: Sequence[str] | None, positions: Sequence[float], taken: bool) -> None:
        """Take over where the arm was measured to be, if the filter did. names: None: those of the message before."""
        if names is not None:
            self._order = [names.index(name) if name in names else -1 for name in self._names]
        if taken:  # of several drivers each names its own joints
            before = self._q or [math.nan] * len(self._order)
            self._q = [before[k] if i < 0 else positions[i] for k, i in enumerate(self._order)]

    def call(self, name: str, arguments: Sequence[Any], answer: Any) -> None:
        """Take over what a call changes of what is sent."""
        if name == "arm" and answer[0]:
            # The filter takes the arm up where it was measured last; what is measured until the next tick comes after that.
            self._rest = self._q
        elif name == "miss" and self.sending:
            # Ticks that did not come, and the outputs that count for them; without one the last one holds.
            now_ns, count = arguments
            for i, positions in enumerate(answer):
                self.rows.append(positions)
                self._stamps_ns.append(now_ns - (count - 1 - i) * self._period_ns)
            self._stamps_ns[-1] = now_ns
        elif name == "retract" and answer is not None and self.sending:
            self.rows[-1] = answer

    def stream(self) -> Stream:
        """Return all of it; a stretch ends where nothing was sent and where records are missing."""
        missed = f"{self._missed} ticks were missed: outputs count as one period apart"
        stamps_ps = (np.array(self._stamps_ns, np.int64) - self._stamps_ns[0]) * 1000
        return Stream(
            self._names,
            stamps_ps,
            np.array(self.rows),
            starts=tuple(self._starts),
            period_ps=self._period_ns * 1000,
            rests=self._rests,
            notes=(*self.notes, *([missed] if self._missed else [])),
        )


def _run_of(file: Path, about: Mapping[str, Any], first: Mapping[str, Any], ends: dict[bytes, _Run]) -> _Run:
    """Return the run that a file continues, found by the hash that ends its file before, or a new one."""
    if any(about[key] != first[key] for key in ("parameters", "urdf")):
        raise UnreadableRecording(f"{file}: made with other parameters than the oldest file; judge it by itself")
    before = bytes.fromhex(about["continues"])
    run = ends.pop(before, None)
    missing = before != ORIGIN if run is None else about["lost"] > run.lost
    run = run or _Run(file, about["parameters"])
    if missing:
        run.sending = None
        run.notes.append(f"records are missing before {file.name}")
    run.lost = about["lost"]
    return run
