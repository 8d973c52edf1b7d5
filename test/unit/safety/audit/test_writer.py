"""The writer's side of the log: files that follow each other, full disks, and what else lies in the folder."""

from __future__ import annotations

import errno
import os
import socket
import time
from pathlib import Path
from typing import Any, BinaryIO

from test.unit.safety.audit.logs import adventure, files_or_none, recorded
from vla_ros.safety.audit.record import files
from vla_ros.safety.audit.replay import replay


def test_files_follow_each_other_and_each_replays_alone(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path, size=100_000, total=500_000, keep=0)
    adventure(bench, seconds=1.5)
    direct.close()
    found = files(tmp_path)
    assert len(found) >= 3
    assert sum(path.stat().st_size for path in found) <= 500_000, "older ones are deleted"
    report = replay(tmp_path)
    assert report.same
    assert report.deleted_files == int(found[0].stem.split("-")[3]) - 1
    assert f"{report.deleted_files} older files" in report.coverage[-1]
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
        open_file=lambda path: FullDisk(path.open("xb", buffering=0), room),
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
    running = recorded(one, tmp_path, size=20_000, total=120_000, keep=0)
    one.armed().tick(5)
    (first,) = files(tmp_path)
    kept = first.rename(tmp_path / f"audit-19700101T000000Z-1-00001{first.suffix}")  # a clock that was wrong
    direct = recorded(other, tmp_path, size=20_000, total=120_000, keep=0)
    other.armed().tick(500)
    direct.close()
    assert kept.exists()
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 150_000
    running.close()
    report = replay(tmp_path)
    assert report.same, report
    assert report.gaps == []
    assert report.starts == 1, "the beginning of the other one has been deleted"


def test_a_removed_folder_is_made_again(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path / "log")
    bench.armed().tick(5)
    for path in files(tmp_path / "log"):
        path.unlink()
    (tmp_path / "log").rmdir()
    bench.tick(20)
    direct.close()
    report = replay(tmp_path / "log")
    assert (report.damaged, report.difference, report.missing_files) == ("", "", "1")
    assert replay(files(tmp_path / "log")[0]).same


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
    assert (report.damaged, report.difference, report.missing_files) == ("", "", "1")
    assert report.lost > 0


def test_a_folder_that_cannot_be_is_one_line(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    (tmp_path / "file").write_text("")
    recorded(bench, tmp_path / "file" / "log")
    bench.armed().tick(5)
    assert "Not a directory" in bench.filter.log.problem


def test_a_named_pipe_and_a_link_in_the_folder_do_no_harm(make_bench: Any, tmp_path: Path) -> None:
    """Neither the replay waits for them, nor the writer when it deletes old files."""
    folder = tmp_path / "log"
    folder.mkdir()
    os.mkfifo(folder / "audit-0-pipe.vlalog")
    (folder / "audit-0-link.vlalog").symlink_to(tmp_path / "nowhere")
    (folder / "audit-0-folder.vlalog").mkdir()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "audit-0-socket.vlalog"))
    os.mkfifo(folder / "audit-20260101T000000Z-1-00003.vlalog")  # named as one of its own
    (folder / "audit-20260101T000000Z-1-00004.vlalog").symlink_to("/dev/zero")
    bench = make_bench()
    direct = recorded(bench, folder, size=20_000, total=120_000, keep=0)
    bench.armed().tick(500)
    direct.close()
    assert bench.filter.log.problem == ""
    assert bench.filter.log.lost == 0
    report = replay(folder)
    assert report.same
    assert report.files >= 2
    assert [line.split(" is ")[1] for line in report.skipped] == [
        "a folder and was skipped",
        "a symbolic link and was skipped",
        "a named pipe and was skipped",
        "a socket and was skipped",
        "a named pipe and was skipped",
        "a symbolic link and was skipped",
    ]
