"""Recompute a log: the same calls into the filter that it was, every answer and every decision compared to the bit."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgpack

from vla_ros.safety.audit import coverage, cut, history
from vla_ros.safety.audit.coverage import FileCoverage
from vla_ros.safety.audit.log import sources
from vla_ros.safety.audit.record import (
    FORMAT,
    NAME,
    ORIGIN,
    Damaged,
    Frame,
    Kind,
    Reader,
    Record,
    files,
    frames,
    pack,
    process,
    skipped,
)
from vla_ros.safety.audit.recorder import CALLS, decision_values, verdict_values
from vla_ros.safety.audit.snapshot import differences, filter_of, first_difference
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.joint.joint_limits import joint_limits
from vla_ros.safety.rules import SafetyRule
from vla_ros.safety.states import LATCHED, State


@dataclasses.dataclass
class ReplayReport:
    """What a replay found.

    difference: the first answer that came out otherwise, in words; empty: none. damaged: the first damaged place. skipped:
    things in the folder that are no files of a log. starts: how often a filter started. coverage: from when to when the files
    go, and how many older ones were deleted. latches: when the filter latched, and why. parameters: what changed in the
    parameters from file to file. other_formats: files of other versions. gaps: files that do not continue the one before;
    broken: files that were renamed or changed after the next one was begun; missing_files: numbers of those that no filter
    deleted; missing: whether anything is gone that nothing explains. cut: files that end within a record. cut_messages:
    recorded by their beginning, because they were too long. lost: records that the log says it lost. seconds: of filter time.
    other_code: whether the filter's code has changed since. newest: parameters and URDF of the newest file.
    """

    files: int = 0
    starts: int = 0
    records: int = 0
    ticks: int = 0
    calls: int = 0
    cut_messages: int = 0
    seconds: float = 0.0
    skipped: list[str] = dataclasses.field(default_factory=list)
    coverage: list[str] = dataclasses.field(default_factory=list)
    latches: list[str] = dataclasses.field(default_factory=list)
    parameters: list[str] = dataclasses.field(default_factory=list)
    other_formats: list[str] = dataclasses.field(default_factory=list)
    gaps: list[str] = dataclasses.field(default_factory=list)
    broken: list[str] = dataclasses.field(default_factory=list)
    missing_files: str = ""
    deleted_files: int = 0
    deleted_latches: int = 0
    cut: list[str] = dataclasses.field(default_factory=list)
    lost: int = 0
    other_code: bool = False
    missing: bool = False
    damaged: str = ""
    difference: str = ""
    newest: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether everything that was written is there, but for what the log lost, deleted to make room or is cut off at its
        end, and comes out the same again.
        """
        return not (self.damaged or self.difference or self.missing or self.broken)


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
    return _Replay(path, extra_rules).run()


class _Replay:
    """All files of a log, in the order in which they were begun."""

    def __init__(self, path: Path, extra_rules: Sequence[SafetyRule]) -> None:
        self._path = path
        self._extra_rules = extra_rules
        self._report = ReplayReport(skipped=skipped(path))
        self._read: list[FileCoverage] = []
        self._ends: dict[str, bytes] = {}  # of each process that wrote here
        self._lost: dict[str, int] = {}
        self._links: set[bytes] = set()
        self._unlinked: list[tuple[FileCoverage, bytes, bool]] = []
        self._latched: dict[str, bool] = {}

    def run(self) -> ReplayReport:
        report = self._report
        for file in coverage.in_order(self._files()):
            try:
                self._take(file)
            except OSError as error:
                if self._path.is_file():
                    raise
                report.skipped.append(f"{file.name} cannot be read ({error.strerror or error}) and was skipped")
                report.missing |= NAME.fullmatch(file.name) is not None
        if not report.records and not report.damaged:
            raise FileNotFoundError(f"{self._path}: holds not one whole record of an audit log")
        if report.other_formats and not report.ticks:
            report.damaged = report.damaged or f"{self._path}: {report.other_formats[0]}"
        if not self._path.is_file():
            self._judge_folder()
        report.coverage = coverage.lines(self._read)
        return report

    def _files(self) -> list[Path]:
        """The files of the log, without those of a folder that no filter has written."""
        found = []
        for file in files(self._path):
            if self._path.is_file() or NAME.fullmatch(file.name) or _is_log(file):
                found.append(file)
            else:
                self._report.skipped.append(f"{file.name} is no file of an audit log and was skipped")
        return found

    def _take(self, file: Path) -> None:
        report, reader, writer = self._report, Reader(file), process(file)
        again = _FileReplay(report, file, self._extra_rules, self._latched.get(writer, False))
        covered = FileCoverage(file, None, "", 0.0)
        report.files += 1
        try:
            for record in reader:
                report.records += 1
                if record.kind is Kind.HEADER:
                    covered.preface = again.preface = _preface(reader)
                    self._header(covered, record.values)
                again.take(record)
                if report.difference:
                    break
            else:
                covered.last = reader.last.hex()
        except _OtherFormat as error:
            if self._path.is_file():
                report.damaged = f"{file}: {error}"
            else:
                report.other_formats.append(f"{file.name} has {error}")
                covered.last = history.last_link(file)
        except Damaged as error:
            report.damaged = report.damaged or " ".join(str(error).split())
        covered.seconds = again.seconds
        report.seconds += again.seconds
        self._latched[writer] = again.latched
        self._ends[writer] = reader.last
        self._links.add(reader.last)
        if again.taken or reader.preface is not None:
            self._read.append(covered)
        if reader.cut or not again.taken:
            report.cut.append(f"{file.name} ends within a record, after {again.taken} whole ones")

    def _header(self, covered: FileCoverage, values: Mapping[str, Any]) -> None:
        report, writer = self._report, process(covered.path)
        before = bytes.fromhex(values["continues"])
        report.starts += before == ORIGIN
        if before not in (ORIGIN, self._ends.get(writer, before)):
            self._unlinked.append((covered, before, values["lost"] > self._lost.get(writer, 0)))
        self._lost[writer] = values["lost"]
        report.lost = max(report.lost, values["lost"])
        report.other_code |= values["sources"] != sources()
        newest = {"parameters": values.get("parameters"), "urdf": values.get("urdf", "")}
        if report.newest and isinstance(newest["parameters"], dict):
            before_parameters = report.newest["parameters"]
            report.parameters += differences(newest["parameters"], before_parameters, covered.path.name, "before")
            if newest["urdf"] != report.newest["urdf"]:
                report.parameters.append(f"{covered.path.name} has another URDF than before")
        report.newest = newest if isinstance(newest["parameters"], dict) else report.newest

    def _judge_folder(self) -> None:
        """What is missing of the folder's history."""
        report, read = self._report, self._read
        missing = coverage.missing(read)
        report.missing_files = history.text(missing)
        report.broken = coverage.broken_links(read)
        report.missing |= bool(missing)
        newest = coverage.newest_preface(read)
        if newest is not None:
            report.deleted_files, report.deleted_latches = newest.deleted_files, newest.deleted_latches
        for covered, before, explained in self._unlinked:
            # Names tell the time of a clock, which may have been set back.
            if before not in self._links and not coverage.explained_by_deletion(covered, read):
                report.gaps.append(f"{covered.path.name} does not continue the file before it")
                report.missing |= not explained


class _OtherFormat(Exception):
    """A file that another version has written."""


def _is_log(file: Path) -> bool:
    """Whether a file begins as a file of a log does."""
    with contextlib.suppress(Damaged, OSError):
        first = next(frames(file), None)
        return isinstance(first, Frame) and first.kind in (Kind.PREFACE, Kind.HEADER)
    return False


def _preface(reader: Reader) -> history.Preface | None:
    if reader.preface is None:
        return None
    try:
        return history.preface_of(reader.preface)
    except (ValueError, TypeError) as error:
        raise Damaged(f"{reader.path}: the preface cannot be read by this version: {error}") from None


CUTTABLE = CALLS | {"command", "joint_state", "obstacles"}


class _FileReplay:
    """The filter of one file, fed with its records."""

    def __init__(self, report: ReplayReport, file: Path, extra_rules: Sequence[SafetyRule], latched: bool) -> None:
        self.taken = 0
        self.seconds = 0.0
        self.latched = latched
        self.preface: history.Preface | None = None
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
                made = f"{record.values.get('format')!r:.80}"
                raise _OtherFormat(f"format {made} and was not replayed; this version replays {FORMAT} only")
            self._header = record.values
            return
        if record.kind is Kind.SNAPSHOT:
            self._filter = self._restored(record.values)
            self._ticked_ns = self._filter.values.ticked_ns
            self._note_latch(self._filter)
            return
        if self._filter is None:
            raise Damaged(f"{self._file}: the first record after the header is not a snapshot")
        if record.kind is Kind.TICK:
            now_ns, logged = record.values
            self._report.ticks += 1
            if self._ticked_ns is not None:
                self.seconds += (now_ns - self._ticked_ns) / 1e9
            self._ticked_ns = now_ns
            self._compare(record, logged, decision_values(self._filter.tick(now_ns)))
            self._note_latch(self._filter)
            return
        if record.kind is Kind.CUT:
            self._take_cut(self._filter, record)
            return
        self._report.calls += 1
        name, arguments, logged = self._call(record)
        answer = getattr(self._filter, name)(*arguments)
        self._compare(record, logged, answer if record.kind is Kind.CALL else verdict_values(answer))

    def _take_cut(self, safety_filter: SafetyFilter, record: Record) -> None:
        """Change the state as a message did that was too long to be recorded whole."""
        self._report.cut_messages += 1
        try:
            name, _, _, changes, _ = record.values
            if name not in CUTTABLE:
                raise ValueError(f"{name!r:.80} is no call of the filter")
            cut.apply(safety_filter.values, changes)
        except Exception as error:
            raise Damaged(f"{self._file}: the record at byte {record.offset} is no message: {error}") from None

    def _note_latch(self, safety_filter: SafetyFilter) -> None:
        """Report that the filter has latched, once."""
        before, self.latched = self.latched, safety_filter.state in LATCHED
        latch = safety_filter.values.latched_by
        if before or not self.latched or latch is None:
            return
        at_s = (self._ticked_ns or 0) / 1e9
        when = f"filter time {at_s:.3f} s"
        if self.preface is not None:
            when = f"{coverage.utc(self.preface.utc_ns + round(self.seconds * 1e9))}, {when}"
        state = State(safety_filter.state).name
        self._report.latches.append(f"{when}: {state} by {latch.rule}: {latch.reason} ({self._file.name})")

    def _restored(self, snapshot: Any) -> SafetyFilter:
        """The filter of the snapshot, whose configuration must be that of the header."""
        try:
            restored = filter_of(snapshot, self._extra_rules)
            difference = first_difference(self._header, snapshot) or self._other_limits(restored)
        except Exception as error:
            raise Damaged(f"{self._file}: the snapshot cannot be read by this version: {error}") from None
        if difference:
            raise Damaged(f"{self._file}: {difference}; one of the two has been changed")
        return restored

    def _other_limits(self, restored: SafetyFilter) -> str:
        """What is wrong with the limits of a snapshot; empty: they are those of the URDF and the parameters, by this code."""
        if self._header["sources"] != sources() or not restored.urdf:
            return ""
        if restored.limits == joint_limits(restored.urdf, restored.parameters):
            return ""
        return "the limits in the snapshot are not those of the header's URDF and parameters"

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
            Obstacle(i, frame, shape, tuple(size), tuple(xyz), tuple(q), kind, None if v is None else tuple(v))
            for i, frame, shape, size, xyz, q, kind, v in rows
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
