"""The filter's side of the log: whatever the writer does, no tick waits and no lost record goes uncounted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from test.unit.safety.audit.logs import adventure, recorded
from vla_ros.safety.audit.record import Reader
from vla_ros.safety.audit.replay import replay


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


def test_a_deleted_latch_is_told_once(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    log = bench.filter.log
    bench.armed().tick(1)
    direct.writer.deleted_files, direct.writer.deleted_latches = 9, 3
    bench.tick(1)
    assert (log.deleted_files, log.deleted_latches) == (9, 3)
    assert "3 files with a latch have been deleted" in log.deletion_to_tell()
    assert log.deletion_to_tell() == ""
    direct.close()


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
