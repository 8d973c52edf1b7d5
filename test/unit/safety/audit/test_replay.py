"""The audit log: replays to the bit, readable up to any cut, every flipped byte found, never in the tick's way."""

from __future__ import annotations

import dataclasses
import errno
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.record import ORIGIN, Damaged, Kind, Reader, files, framed, pack, records
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.audit.replay import replay
from vla_ros.safety.audit.writer import LogWriter
from vla_ros.safety.safety_parameters import AuditParameters

NAN = math.nan


class Direct:
    """A connection that writes at once, so that tests see what a batch does."""

    def __init__(self, writer: LogWriter) -> None:
        self.writer = writer
        self.full = False
        self.asked = 0

    def close(self) -> None:
        self.writer.close()

    def send(self, batch: bytes) -> None:
        if self.full:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        self.writer.write(batch)

    def abandoned(self) -> list[bytes]:
        return []

    def heard(self) -> bytes:
        self.asked += self.writer.wants_header
        return pack([self.asked, self.writer.problem, self.writer.lost])


def about(bench: Any) -> dict[str, Any]:
    """What the node puts into the header."""
    return {"parameters": dataclasses.asdict(bench.parameters), "urdf": ""}


def rewritten(path: Path, change: Callable[[Kind, Any], Any]) -> None:
    """Change the values of records and make the chain of hashes anew, as somebody with the format at hand could."""
    last, parts = ORIGIN, []
    for record in Reader(path):
        part, last = framed(last, record.kind, pack(change(record.kind, record.values)))
        parts.append(part)
    path.write_bytes(b"".join(parts))


def recorded(bench: Any, folder: Path, size: int = 10**8, count: int = 9, **opened: Any) -> Direct:
    """Put a log between the bench and its filter."""
    direct = Direct(LogWriter(folder, size, count, **opened))
    bench.filter = Recorder(bench.filter, AuditLog(AuditParameters(), about(bench), direct))
    return direct


def adventure(bench: Any, seconds: float = 0.6) -> None:
    """Something of everything: motion, nonsense, silence, an e-stop, a reset, a second motion."""
    home = list(bench.q)
    bench.armed()
    bench.stream(lambda t: [home[0] + 0.4 * t, *home[1:]], seconds)
    bench.command([NAN, *home[1:]])
    bench.command(home, joint_names=list(reversed(["joint7", *[f"x{i}" for i in range(7)]])))
    bench.filter.speed_scale(0.5)
    bench.filter.publishers("policy", ["/one (01)"])
    bench.stream(lambda t: [home[0] + 0.3 - 2.0 * t, *home[1:]], seconds)
    bench.filter.estop("test")
    bench.tick(80)
    assert bench.filter.reset(bench.now_ns)[0]
    bench.armed()
    bench.stream(lambda t: [home[0] + 0.1 * t, *home[1:]], seconds)


@pytest.fixture
def log(make_bench: Any, tmp_path: Path) -> Path:
    """A folder with one closed file."""
    bench = make_bench()
    direct = recorded(bench, tmp_path / "log")
    adventure(bench)
    direct.close()
    return tmp_path / "log"


def test_a_log_replays_to_the_bit(log: Path) -> None:
    report = replay(log)
    assert report.same
    assert (report.damaged, report.difference, report.gaps, report.cut) == ("", "", [], [])
    assert report.ticks > 500
    assert report.calls > 600
    assert report.seconds == pytest.approx(report.ticks * 0.004, rel=0.01)
    assert not report.other_code


def test_the_log_changes_nothing(make_bench: Any, tmp_path: Path) -> None:
    plain, logged = make_bench(), make_bench()
    recorded(logged, tmp_path)
    for bench in (plain, logged):
        adventure(bench)
    assert [repr(d) for d in plain.decisions] == [repr(d) for d in logged.decisions]


def test_a_changed_decision_is_found(log: Path) -> None:
    """Somebody with the format at hand changes one number and makes the chain anew; the replay still sees it."""
    (path,) = files(log)
    last, parts, changed = ORIGIN, [], 0
    for record in Reader(path):
        payload = pack(record.values)
        if record.kind is Kind.TICK and record.values[1][1] and not changed and record.offset > 50_000:
            now_ns, (state, positions, *rest) = record.values
            positions[0] = math.nextafter(positions[0], 9.0)
            payload = pack([now_ns, [state, positions, *rest]])
            changed = record.offset
        part, last = framed(last, record.kind, payload)
        parts.append(part)
    path.write_bytes(b"".join(parts))
    report = replay(log)
    assert not report.same
    assert f"tick at byte {changed} of {path.name}" in report.difference


def test_a_log_of_another_format_is_one_line(log: Path) -> None:
    (path,) = files(log)
    rewritten(path, lambda kind, values: {**values, "format": 5} if kind is Kind.HEADER else values)
    damaged = replay(log).damaged
    assert "format 5; this version replays 6 only" in damaged
    assert "\n" not in damaged


def test_a_log_whose_snapshot_is_a_pickle_is_refused_and_not_unpickled(log: Path) -> None:
    (path,) = files(log)
    rewritten(path, lambda kind, values: b"\x80\x04." if kind is Kind.SNAPSHOT else values)
    assert "the snapshot cannot be read by this version" in replay(log).damaged


def test_parameters_of_the_header_that_the_filter_did_not_have_are_named(log: Path) -> None:
    (path,) = files(log)

    def slower(kind: Kind, values: Any) -> Any:
        if kind is not Kind.HEADER:
            return values
        override = {**values["parameters"]["override"], "speed_scale": 0.5}
        return {**values, "parameters": {**values["parameters"], "override": override}}

    rewritten(path, slower)
    damaged = replay(log).damaged
    assert "the header has override.speed_scale = 0.5, the snapshot 0.25" in damaged
    rewritten(path, lambda kind, values: {**values, "parameters": None} if kind is Kind.HEADER else values)
    assert "the header holds no parameters" in replay(log).damaged


def test_a_call_that_the_filter_does_not_have_is_refused(log: Path) -> None:
    (path,) = files(log)
    rewritten(path, lambda kind, values: ["restore", [None], None] if kind is Kind.CALL else values)
    assert "holds 'restore', no call of the filter" in replay(log).damaged


def test_a_named_pipe_and_a_link_in_the_folder_do_no_harm(make_bench: Any, tmp_path: Path) -> None:
    """Neither the replay waits for them, nor the writer when it deletes old files."""
    folder = tmp_path / "log"
    folder.mkdir()
    os.mkfifo(folder / "audit-0-pipe.vlalog")
    (folder / "audit-0-link.vlalog").symlink_to(tmp_path / "nowhere")
    (folder / "audit-0-folder.vlalog").mkdir()
    bench = make_bench()
    direct = recorded(bench, folder, size=20_000, count=2)
    bench.armed().tick(500)
    direct.close()
    assert bench.filter.log.problem == ""
    assert bench.filter.log.lost == 0
    report = replay(folder)
    assert report.same
    assert report.files == 2
    assert [line.split(" is ")[1] for line in report.skipped] == [
        "a folder and was skipped",
        "a symbolic link and was skipped",
        "a named pipe and was skipped",
    ]


def test_every_flipped_byte_is_found(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed().tick(2)
    direct.close()
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    for i in range(len(whole)):
        flip = 1 << i % 8
        path.write_bytes(whole[:i] + bytes((whole[i] ^ flip,)) + whole[i + 1 :])
        with pytest.raises(Damaged, match=path.name):
            list(Reader(path))


def test_a_log_cut_anywhere_is_readable_up_to_the_cut(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed().tick(2)
    direct.close()
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    ends = [record.offset for record in Reader(path)] + [len(whole)]
    for i in range(len(whole)):
        path.write_bytes(whole[:i])
        reader = Reader(path)
        read = list(reader)
        assert len(read) == sum(end <= i for end in ends[1:])
        assert reader.cut == (i not in ends)
    path.write_bytes(whole[:-5])
    report = replay(path)
    assert report.same
    assert report.cut == [f"{path.name} ends within a record, after {len(ends) - 2} whole ones"]


def test_files_follow_each_other_and_each_replays_alone(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path, size=100_000, count=3)
    adventure(bench, seconds=1.5)
    direct.close()
    found = files(tmp_path)
    assert len(found) == 3, "older ones are deleted"
    assert sum(path.stat().st_size for path in found) < 3 * 160_000
    report = replay(tmp_path)
    assert report.same
    assert report.gaps == []
    assert report.lost == 0
    for path in found:
        assert replay(path).same
    found[1].unlink()
    report = replay(tmp_path)
    assert report.gaps == [f"{found[2].name} does not continue the file before it"]
    assert report.missing and not report.same


class FullDisk:
    """A file that takes so many bytes and no more."""

    def __init__(self, file: BinaryIO, room: list[int]) -> None:
        self._file = file
        self._room = room

    def write(self, data: memoryview) -> int:
        if self._room[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        data = data[: self._room[0]]
        self._room[0] -= len(data)
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_full_disk_loses_records_counts_them_and_goes_on_when_there_is_room(make_bench: Any, tmp_path: Path) -> None:
    bench, room = make_bench(), [150_000]
    direct = recorded(
        bench,
        tmp_path,
        opened=lambda path: FullDisk(path.open("xb", buffering=0), room),  # type: ignore[arg-type,return-value]
    )
    adventure(bench)
    log = bench.filter.log
    assert log.lost > 100
    assert "No space left on device" in log.problem
    assert str(tmp_path) in log.problem
    room[0] = 10**8
    bench.stream(lambda t: list(bench.q), 0.5)
    assert log.problem == ""
    lost = log.lost
    bench.tick(20)
    assert log.lost == lost
    direct.close()
    report = replay(tmp_path)
    assert report.same, report
    assert lost - 10 <= report.lost <= lost  # what was under way when the new file's header was made counts in the next
    assert len(report.gaps) == 1


def test_a_file_that_another_filter_writes_is_kept(make_bench: Any, tmp_path: Path) -> None:
    one, other = make_bench(), make_bench()
    running = recorded(one, tmp_path, size=20_000, count=2)
    one.armed().tick(5)
    (first,) = files(tmp_path)
    kept = first.rename(tmp_path / f"audit-19700101T000000Z-1-00001{first.suffix}")
    direct = recorded(other, tmp_path, size=20_000, count=2)
    other.armed().tick(500)
    direct.close()
    assert kept.exists()
    assert len(files(tmp_path)) == 3
    running.close()
    report = replay(tmp_path)
    assert report.same
    assert report.gaps == []
    assert report.starts == 1, "the beginning of the other one has been rotated away"


def test_a_removed_folder_is_made_again(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path / "log")
    bench.armed().tick(5)
    for path in files(tmp_path / "log"):
        path.unlink()
    (tmp_path / "log").rmdir()
    bench.tick(20)
    direct.close()
    assert replay(tmp_path / "log").same


def test_a_ring_that_is_full_delays_nothing_and_is_counted(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed().tick(5)
    direct.full = True
    bench.tick(50)
    assert bench.filter.log.lost >= 100
    assert "does not keep up" in bench.filter.log.problem
    direct.full = False
    bench.tick(5)
    assert bench.filter.log.problem == ""
    direct.close()
    report = replay(tmp_path)
    assert report.same
    assert report.lost >= 100
    assert report.gaps == [], "the chain goes on from the last record that was handed over"


@pytest.fixture
def process(make_bench: Any, tmp_path: Path) -> Iterator[Any]:
    """A bench with a log that a real process writes."""
    bench = make_bench()
    bench.filter = Recorder(bench.filter, AuditLog(AuditParameters(str(tmp_path / "log"), 0.1, 20), about(bench)))
    yield bench
    bench.filter.log.close()


def test_a_process_writes_it(process: Any, tmp_path: Path) -> None:
    adventure(process)
    process.filter.log.close()
    process.filter.log._process.wait(120)  # a busy machine may give it its first turn after the filter's patience
    report = replay(tmp_path / "log")
    assert report.same
    assert report.ticks >= len(process.decisions) - 5
    assert report.lost == process.filter.log.lost


def test_a_killed_writer_delays_nothing(process: Any, tmp_path: Path) -> None:
    process.armed().tick(5)
    child = process.filter.log._process
    child.kill()
    child.wait()
    process.tick(80)
    calls = 2 * len(process.decisions)  # at least a joint state with each tick
    written = sum(len(list(Reader(path))) for path in (tmp_path / "log").glob("*.vlalog"))
    assert process.filter.log.lost >= calls - written - 64, "what lay in the ring is lost, too"
    assert "is gone" in process.filter.log.problem
    assert process.decisions[-1].positions is not None


def test_a_full_disk_does_not_end_the_writer(process: Any, tmp_path: Path) -> None:
    """A batch of one record, too, is counted: its length is that of a head with its checksum."""
    process.armed().tick(5)
    log, folder = process.filter.log, tmp_path / "log"
    for _ in range(500):
        process.tick(1)
        if files_or_none(folder):
            break
        time.sleep(0.02)
    for path in files(folder):
        path.unlink()
    folder.rmdir()
    folder.write_text("in the way")
    for _ in range(500):
        process.filter.tick(process.now_ns)  # a tick without messages: one record
        process.now_ns += 4_000_000
        if log.problem:
            break
        time.sleep(0.02)
    assert "records are being lost" in log.problem
    folder.unlink()
    for _ in range(500):
        process.tick(1)
        if not log.problem and files_or_none(folder):
            break
        time.sleep(0.02)
    assert log._process.poll() is None
    log.close()
    log._process.wait(120)
    report = replay(folder)
    assert report.same
    assert report.lost > 0


def files_or_none(folder: Path) -> list[Path]:
    """The log's files that hold something."""
    return [path for path in folder.glob("*.vlalog") if path.stat().st_size] if folder.is_dir() else []


def test_records_are_counted() -> None:
    link, batch = ORIGIN, b""
    for count in range(1, 6):
        part, link = framed(link, Kind.TICK, pack(list(range(count))))
        batch += part
        assert records(batch) == count


def test_a_folder_that_cannot_be_is_one_line(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    (tmp_path / "file").write_text("")
    recorded(bench, tmp_path / "file" / "log")
    bench.armed().tick(5)
    assert "Not a directory" in bench.filter.log.problem


@pytest.mark.parametrize("content", [b"", b"host"])
def test_what_is_no_log_is_no_perfect_replay(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    from vla_ros.cli.main import main

    path = tmp_path / "some.vlalog"
    path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(path)])
    assert ended.value.code == 2
    assert "not one whole record" in capsys.readouterr().err


def test_no_log_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no audit log here"):
        replay(tmp_path)


def test_the_program_replays(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from vla_ros.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["replay", str(log)])
    assert ended.value.code == 0
    assert "the same to the bit" in capsys.readouterr().out
    (path,) = files(log)
    whole = bytearray(path.read_bytes())
    whole[-40] ^= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(log)])
    assert ended.value.code == 1
    assert "has been damaged" in capsys.readouterr().out
