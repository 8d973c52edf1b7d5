"""A folder's history: what was deleted is counted, what is missing, renamed or changed is named, over all starts."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from test.unit.safety.audit.logs import adventure, recorded
from vla_ros.safety.audit.record import files, number
from vla_ros.safety.audit.replay import replay


def started(make_bench: Any, folder: Path, latch: bool = False, **sizes: Any) -> None:
    """A filter starts, runs a little, and ends."""
    bench = make_bench()
    direct = recorded(bench, folder, **sizes)
    bench.armed().tick(20)
    if latch:
        bench.filter.estop("the test")
        bench.tick(20)
    direct.close()


@pytest.fixture
def folder(make_bench: Any, tmp_path: Path) -> Path:
    """Six starts."""
    for i in range(6):
        started(make_bench, tmp_path / "log", latch=i == 2)
    return tmp_path / "log"


def test_starts_are_linked_and_nothing_is_deleted(folder: Path) -> None:
    report = replay(folder)
    assert report.same and report.starts == 6
    assert report.coverage[-1].endswith("(files 1 to 6)") and " from 20" in report.coverage[-1]
    assert (report.missing_files, report.deleted_files, report.broken) == ("", 0, [])


@pytest.mark.parametrize("gone", [[1], [3], [5], [2, 3], [1, 2, 3, 4, 5]])
def test_a_missing_file_is_named_also_after_further_starts(folder: Path, make_bench: Any, gone: list[int]) -> None:
    for path in files(folder):
        if number(path) in gone:
            path.unlink()
    expected = str(gone[0]) if len(gone) == 1 else f"{gone[0]} to {gone[-1]}"
    report = replay(folder)
    assert (report.missing_files, report.same) == (expected, False)
    started(make_bench, folder)
    started(make_bench, folder)
    report = replay(folder)
    assert (report.missing_files, report.same) == (expected, False)


def test_files_that_changed_places_are_named(folder: Path) -> None:
    one, other = files(folder)[1], files(folder)[3]
    aside = folder / "aside"
    one.rename(aside), other.rename(one), aside.rename(other)
    report = replay(folder)
    assert not report.same
    assert [line.split(":")[1] for line in report.broken] == [" it has been renamed"] * 2
    assert report.starts == 6, "read in the order of their numbers"


def test_a_file_that_was_shortened_after_the_next_one_was_begun_is_named(folder: Path) -> None:
    path = files(folder)[1]
    path.write_bytes(path.read_bytes()[:-30])
    report = replay(folder)
    assert not report.same
    assert "does not end as it did when" in report.broken[0]


def test_a_start_after_a_crash_takes_the_cut_file_as_it_is(folder: Path, make_bench: Any) -> None:
    path = files(folder)[-1]
    path.write_bytes(path.read_bytes()[:-30])
    started(make_bench, folder)
    report = replay(folder)
    assert report.same, report
    assert len(report.cut) == 1


def test_a_preface_that_was_removed_is_named(folder: Path) -> None:
    path = files(folder)[2]
    data = path.read_bytes()
    length = int.from_bytes(data[:4], "little")
    path.write_bytes(data[9 + length + 16 :])
    report = replay(folder)
    assert not report.same
    assert "does not say which file came before it" in report.broken[0]


def test_starts_delete_by_bytes_and_count(make_bench: Any, tmp_path: Path) -> None:
    """A hundred starts: the folder stays small, the first latch stays, and all that went is counted."""
    for i in range(100):
        started(make_bench, tmp_path, latch=i == 1, size=20_000, total=200_000, keep=2)
        assert sum(path.stat().st_size for path in files(tmp_path)) <= 200_000
    report = replay(tmp_path)
    assert report.same, report
    assert report.deleted_files + report.files == number(max(files(tmp_path), key=number)) >= 100
    assert report.deleted_latches == 0
    assert len(report.latches) == 1 and "ESTOP by estop: e-stop by the test" in report.latches[0]
    assert len(report.coverage) == 3, "the latch, the newest files, what was deleted"
    assert report.coverage[0].endswith("(file 2)")


def test_more_latches_than_are_kept_go_and_are_counted(make_bench: Any, tmp_path: Path) -> None:
    for _ in range(40):
        started(make_bench, tmp_path, latch=True, size=20_000, total=200_000, keep=3)
    report = replay(tmp_path)
    assert report.same, report
    assert report.deleted_latches > 20
    assert report.deleted_files + report.files == number(max(files(tmp_path), key=number))
    assert f"{report.deleted_latches} of them with a latch" in report.coverage[-1]


def test_a_latch_early_in_a_file_keeps_the_file_before(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path, size=30_000, total=400_000, keep=4)
    bench.armed()
    bench.stream(lambda t: list(bench.q), 2.0)
    begun = len(files(tmp_path))
    while len(files(tmp_path)) == begun:
        bench.tick(1)
    bench.filter.fault("the test")
    bench.tick(3000)
    direct.close()
    kept = [path for path in files(tmp_path) if path.stem.endswith("-latch")]
    assert [number(path) for path in kept] == [begun, begun + 1]
    assert replay(tmp_path).same


def test_foreign_things_in_the_folder_do_no_harm(folder: Path, make_bench: Any) -> None:
    (folder / "notes.vlalog").write_bytes(random.Random(1).randbytes(5000))
    (folder / "empty.vlalog").touch()
    (folder / "README").write_text("hello")
    shutil.copytree(folder, folder.parent / "copy")
    started(make_bench, folder, size=20_000, total=10_000_000)
    report = replay(folder)
    assert report.same, report
    assert sorted(line.split(" ")[0] for line in report.skipped) == ["empty.vlalog", "notes.vlalog"]
    assert (folder / "notes.vlalog").exists()


def test_a_damaged_file_does_not_hide_the_others(folder: Path) -> None:
    path = files(folder)[1]
    data = bytearray(path.read_bytes())
    data[len(data) * 9 // 10] ^= 1  # behind the header
    path.write_bytes(data)
    report = replay(folder)
    assert path.name in report.damaged and not report.same
    assert report.starts == 6
    assert report.files == 6


def test_two_filters_in_one_folder(make_bench: Any, tmp_path: Path) -> None:
    one, other = make_bench(), make_bench()
    directs = [recorded(bench, tmp_path, size=60_000, total=500_000, keep=0) for bench in (one, other)]
    for bench in (one, other):
        bench.armed()
    for _ in range(8):
        for bench in (one, other):
            bench.tick(150)
    for direct in directs:
        direct.close()
    report = replay(tmp_path)
    assert (report.damaged, report.difference, report.missing_files, report.broken) == ("", "", "", [])


def test_parameters_that_changed_from_start_to_start_are_named(make_bench: Any, tmp_path: Path) -> None:
    adventure_bench = make_bench()
    direct = recorded(adventure_bench, tmp_path)
    adventure(adventure_bench)
    direct.close()
    bench = make_bench({"command.max_age_s": 0.2})
    direct = recorded(bench, tmp_path)
    bench.armed().tick(20)
    direct.close()
    report = replay(tmp_path)
    assert report.same
    (line,) = report.parameters
    assert "has command.max_age_s = 0.2, before 0.1" in line
