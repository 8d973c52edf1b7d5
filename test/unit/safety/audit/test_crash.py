"""After a crash: what was latched, why, and the seconds before it can be read, wherever the file ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from test.unit.safety.audit.logs import recorded
from vla_ros.safety.audit.record import Kind, Reader, files
from vla_ros.safety.audit.replay import replay

PACKAGE = Path(__file__).parents[4]
FILTER = """
import pathlib, sys, time
from test.unit.safety.audit.logs import about
from test.unit.safety.conftest import Bench
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.safety_parameters import AuditParameters
bench = Bench({})
log = AuditLog(AuditParameters(sys.argv[1]), about(bench))
bench.filter = Recorder(bench.filter, log)
print(log._process.pid, flush=True)
bench.armed()
bench.stream(lambda t: list(bench.q), 2.0)
bench.filter.fault("something broke")
bench.tick(3)
if sys.argv[2] == "both":
    given_up_s = time.monotonic() + 60.0
    while not list(pathlib.Path(sys.argv[1]).glob("*-latch*")) and time.monotonic() < given_up_s:
        time.sleep(0.05)  # the writer's first turn on a busy machine
    bench.tick(1)
    time.sleep(0.5)
print("latched", flush=True)
while True:
    bench.tick(1)
    time.sleep(0.004)
"""


def assert_the_latch_can_be_read(folder: Path) -> None:
    report = replay(folder)
    assert report.same, report
    (line,) = report.latches
    assert "PROTECTIVE_STOP by filter: something broke" in line
    (path,) = files(folder)
    assert path.stem.endswith("-latch")
    times = [record.values[0] for record in Reader(path) if record.kind is Kind.TICK]
    states = [record.values[1][0] for record in Reader(path) if record.kind is Kind.TICK]
    assert times[states.index(5)] - times[0] >= 10**9, "the second before the latch"


@pytest.mark.parametrize("killed", ["filter", "both"])
def test_a_filter_that_is_killed_leaves_its_latch(tmp_path: Path, killed: str) -> None:
    """Killed right behind the latch, the writer still takes what the filter has put into the ring."""
    child = subprocess.Popen(
        [sys.executable, "-c", FILTER, str(tmp_path), killed],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        cwd=PACKAGE,
    )
    assert child.stdout is not None
    writer = int(child.stdout.readline())
    assert child.stdout.readline() == "latched\n"
    for pid in (child.pid, writer) if killed == "both" else (child.pid,):
        os.kill(pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    for _ in range(1200):  # the writer takes what is left, and ends
        if not is_running(writer):
            break
        time.sleep(0.05)
    assert_the_latch_can_be_read(tmp_path)


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody waits for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_log_cut_at_every_byte_behind_the_latch_tells_it(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed()
    bench.stream(lambda t: list(bench.q), 1.1)
    bench.filter.fault("something broke")
    bench.tick(1)
    direct.writer.sync()
    (path,) = files(tmp_path)
    latched = path.stat().st_size
    bench.tick(1)
    direct.close()
    whole = path.read_bytes()
    assert latched < len(whole)
    for end in range(latched, len(whole)):
        path.write_bytes(whole[:end])
        states = [record.values[1][0] for record in Reader(path) if record.kind is Kind.TICK]
        assert 5 in states, end
        if end % 100 == 0:
            assert_the_latch_can_be_read(tmp_path)
    for end in (latched - 40, latched - 1, 1, 100, 300, 3000):
        path.write_bytes(whole[:end])
        try:
            report = replay(tmp_path)
        except FileNotFoundError:
            continue  # not one whole record
        assert (report.damaged, report.difference, report.latches) == ("", "", [])


def test_a_latch_is_on_the_disk_at_once(make_bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut behind the latch: it is not waited for the second after which the disk is asked anyway."""
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed().tick(5)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    bench.tick(5)
    assert synced == []
    bench.filter.estop("test")
    bench.tick(1)
    (path,) = files(tmp_path)
    assert path.stat().st_size in synced
    direct.close()
