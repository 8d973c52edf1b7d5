"""The conditions of a measurement: CPU load, real-time scheduling, no garbage collection."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
from collections.abc import Iterator

LOAD_PROGRAM = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(10000))\n"
REALTIME_PRIORITY = 20


@contextlib.contextmanager
def cpu_load(processes: int) -> Iterator[None]:
    """Run so many processes that only compute; they end with the block, or with this process."""
    started = [subprocess.Popen([sys.executable, "-c", LOAD_PROGRAM]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


@contextlib.contextmanager
def real_time_scheduling() -> Iterator[str]:
    """Ask for SCHED_FIFO for this process; yield the scheduling that it got, in words."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(REALTIME_PRIORITY))
        scheduling = f"SCHED_FIFO {REALTIME_PRIORITY}"
    except (AttributeError, OSError):
        scheduling = "normal scheduling (SCHED_FIFO is not permitted)"
    try:
        yield scheduling
    finally:
        with contextlib.suppress(AttributeError, OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextlib.contextmanager
def garbage_collection_off() -> Iterator[None]:
    """Freeze the existing objects and turn the garbage collector off, as the node does."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
