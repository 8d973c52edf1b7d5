"""Recompute a log: the same calls into the filter that it was, every answer and every decision compared to the bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgpack

from vla_ros.safety.audit.log import sources
from vla_ros.safety.audit.record import FORMAT, ORIGIN, Damaged, Kind, Reader, Record, files, pack, process, skipped
from vla_ros.safety.audit.recorder import CALLS, decision_values, verdict_values
from vla_ros.safety.audit.snapshot import filter_of, first_difference
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.rules import SafetyRule


@dataclasses.dataclass
class ReplayReport:
    """What a replay found.

    difference: the first answer that came out otherwise, in words; empty: none. skipped: things in the folder that are no
    files. starts: how often a filter started. gaps:
    files that do not continue the one before; missing: whether one of these has lost nothing that would explain it. cut:
    files that end within a record. lost: records that the log says it lost. seconds: of filter time. other_code: whether the
    filter's code has changed since.
    """

    files: int = 0
    starts: int = 0
    records: int = 0
    ticks: int = 0
    calls: int = 0
    seconds: float = 0.0
    skipped: list[str] = dataclasses.field(default_factory=list)
    gaps: list[str] = dataclasses.field(default_factory=list)
    cut: list[str] = dataclasses.field(default_factory=list)
    lost: int = 0
    other_code: bool = False
    missing: bool = False
    damaged: str = ""
    difference: str = ""

    @property
    def same(self) -> bool:
        """Whether everything that was written is there, but for what the log lost or is cut off at its end, and comes out
        the same again.
        """
        return not (self.damaged or self.difference or self.missing)


def plain(values: Any) -> Any:
    """Values as they come back from a log."""
    return msgpack.unpackb(pack(values))


def replay(path: Path, extra_rules: Sequence[SafetyRule] = ()) -> ReplayReport:
    """Replay a file or a folder of them.

    Args:
        path: of the file or folder.
        extra_rules: those that the filter had besides the package's own.

    Raises:
        FileNotFoundError, OSError: there is no log, not one whole record in it, or it cannot be read.
    """
    report = ReplayReport()
    ends: dict[str, bytes] = {}  # of each process that wrote here
    lost: dict[str, int] = {}
    links: set[bytes] = set()
    unlinked: dict[str, tuple[bytes, bool]] = {}
    report.skipped = skipped(path)
    for file in files(path):
        reader = Reader(file)
        report.files += 1
        again = _FileReplay(report, file, extra_rules)
        try:
            for record in reader:
                report.records += 1
                if record.kind is Kind.HEADER:
                    report.starts += (before := bytes.fromhex(record.values["continues"])) == ORIGIN
                    if before not in (ORIGIN, ends.get(process(file), before)):
                        unlinked[file.name] = before, record.values["lost"] > lost.get(process(file), 0)
                    lost[process(file)] = record.values["lost"]
                    report.lost = max(report.lost, record.values["lost"])
                    report.other_code |= record.values["sources"] != sources()
                again.take(record)
                if report.difference:
                    return report
        except Damaged as error:
            report.damaged = " ".join(str(error).split())
            return report
        ends[process(file)] = reader.last
        links.add(reader.last)
        if reader.cut:
            report.cut.append(f"{file.name} ends within a record, after {again.taken} whole ones")
    for name, (before, explained) in unlinked.items():
        if before not in links:  # names tell the time of a clock, which may have been set back
            report.gaps.append(f"{name} does not continue the file before it")
            report.missing |= not explained
    if not report.records:
        raise FileNotFoundError(f"{path}: holds not one whole record of an audit log")
    return report


class _FileReplay:
    """The filter of one file, fed with its records."""

    def __init__(self, report: ReplayReport, file: Path, extra_rules: Sequence[SafetyRule]) -> None:
        self.taken = 0
        self._report = report
        self._file = file
        self._extra_rules = extra_rules
        self._header: dict[str, Any] = {}
        self._filter: SafetyFilter | None = None
        self._names: dict[Kind, list[str]] = {}
        self._ticked_ns: int | None = None

    def take(self, record: Record) -> None:
        self.taken += 1
        if record.kind is Kind.HEADER:
            if record.values.get("format") != FORMAT:
                raise Damaged(f"{self._file}: format {record.values.get('format')}; this version replays {FORMAT} only")
            self._header = record.values
            return
        if record.kind is Kind.SNAPSHOT:
            self._filter = self._restored(record.values)
            return
        if self._filter is None:
            raise Damaged(f"{self._file}: the first record after the header is not a snapshot")
        if record.kind is Kind.TICK:
            now_ns, logged = record.values
            self._report.ticks += 1
            if self._ticked_ns is not None:
                self._report.seconds += (now_ns - self._ticked_ns) / 1e9
            self._ticked_ns = now_ns
            self._compare(record, logged, decision_values(self._filter.tick(now_ns)))
            return
        self._report.calls += 1
        name, arguments, logged = self._call(record)
        answer = getattr(self._filter, name)(*arguments)
        self._compare(record, logged, answer if record.kind is Kind.CALL else verdict_values(answer))

    def _restored(self, snapshot: Any) -> SafetyFilter:
        """The filter of the snapshot, whose configuration must be that of the header."""
        try:
            restored = filter_of(snapshot, self._extra_rules)
            difference = first_difference(self._header, snapshot)
        except Exception as error:
            raise Damaged(f"{self._file}: the snapshot cannot be read by this version: {error}") from None
        if difference:
            raise Damaged(f"{self._file}: {difference}; one of the two has been changed")
        return restored

    def _call(self, record: Record) -> tuple[str, list[Any], Any]:
        """(name, arguments, logged answer) of a record that is no tick."""
        if record.kind is Kind.CALL:
            name, arguments, logged = record.values
            if name not in CALLS:
                raise Damaged(
                    f"{self._file}: the record at byte {record.offset} holds {name!r:.80}, no call of the filter"
                )
            return name, arguments, logged
        arguments, logged = record.values
        if record.kind is Kind.COMMAND:
            channel, source, seq, stamp_ns, age_ns, receive_ns, names, positions = arguments
            known = self._known(record.kind, names)
            setpoint = Setpoint(channel, source, seq, stamp_ns, age_ns, receive_ns, known, positions)
            return "command", [setpoint], logged
        if record.kind is Kind.JOINT_STATE:
            receive_ns, names, *values = arguments
            return "joint_state", [receive_ns, self._known(record.kind, names), *values], logged
        receive_ns, rows = arguments
        obstacles = [
            Obstacle(i, frame, shape, tuple(size), tuple(xyz), tuple(q)) for i, frame, shape, size, xyz, q in rows
        ]
        return "obstacles", [receive_ns, obstacles], logged

    def _known(self, kind: Kind, names: list[str] | None) -> list[str]:
        if names is not None:
            self._names[kind] = names
        return self._names[kind]

    def _compare(self, record: Record, logged: Any, again: Any) -> None:
        """Compare as bytes, so that NaN equals itself and 0.0 does not equal -0.0."""
        if pack(logged) == pack(again):
            return
        what = f"{record.kind.name.lower()} at byte {record.offset} of {self._file.name}"
        if self._ticked_ns is not None:
            what += f" (filter time {self._ticked_ns / 1e9:.3f} s)"
        self._report.difference = f"{what}: logged {plain(logged)}, recomputed {plain(again)}"
