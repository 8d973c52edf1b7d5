"""The conditions of a measurement: busy cores, real-time scheduling, a process that keeps its memory."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
from collections.abc import Iterator

BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(10000))\n"
PRIORITY = 20


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that only compute; they end with the block, or with this process."""
    started = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


@contextlib.contextmanager
def real_time() -> Iterator[str]:
    """SCHED_FIFO for this process where it is permitted; yields what became of it, in words."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
        words = f"SCHED_FIFO {PRIORITY}"
    except (AttributeError, OSError):
        words = "normal scheduling (SCHED_FIFO is not permitted)"
    try:
        yield words
    finally:
        with contextlib.suppress(AttributeError, OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextlib.contextmanager
def collected() -> Iterator[None]:
    """As the node runs: what is there is frozen, the collector is off."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
