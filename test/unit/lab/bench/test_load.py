"""The conditions of a measurement hold within the block and end with it."""

from __future__ import annotations

import gc
import os

import psutil

from vla_ros.lab.bench.load import cpu_load, garbage_collection_off, real_time_scheduling


def test_the_load_ends_with_the_block() -> None:
    before = {child.pid for child in psutil.Process().children()}
    with cpu_load(2):
        during = {child.pid for child in psutil.Process().children()} - before
        assert len(during) == 2
    assert not any(psutil.pid_exists(pid) for pid in during)


def test_the_collector_is_off_and_what_exists_is_frozen() -> None:
    frozen = gc.get_freeze_count()
    with garbage_collection_off():
        assert not gc.isenabled() and gc.get_freeze_count() > frozen
    assert gc.isenabled() and gc.get_freeze_count() == 0


def test_the_scheduling_is_said_and_taken_back() -> None:
    with real_time_scheduling() as scheduling:
        assert (scheduling == "SCHED_FIFO 20") is (os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
