"""How the processes of the graph share the processor with each other and with other programs: priority, threads, output."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
"""Environment variables that give numerical libraries one thread."""


def use_real_time_scheduling(priority: int, cpu: int = -1) -> str:
    """Ask for real-time scheduling of every thread of this process, DDS's included.

    Processes started later do not inherit the priority.

    Args:
        priority: of SCHED_FIFO. cpu: core that the calling thread is pinned to; -1: none.

    Returns:
        what was granted, as text for /diagnostics.
    """
    granted = []
    try:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setscheduler(int(thread), os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
        granted.append(f"SCHED_FIFO {priority}")
    except (AttributeError, OSError) as error:
        granted.append(f"normal; SCHED_FIFO is not permitted here ({error}); give the user rtprio in limits.conf")
    if cpu >= 0:
        try:
            os.sched_setaffinity(threading.get_native_id(), {cpu})
            granted.append(f"on core {cpu}")
        except (AttributeError, OSError) as error:
            granted.append(f"not pinned to core {cpu} ({error})")
    return "; ".join(granted)


def raise_priority() -> None:
    """Ask for ten times an ordinary program's share of the processor (niceness -10): frames and plans age.

    Where that is not permitted, real-time scheduling is not either. This process then lowers its priority below those that
    keep a rate: a late frame or plan is stale, a late setpoint is a jerk.
    """
    try:
        niceness = os.nice(-10)
    except OSError:
        os.nice(5)
        return
    # Linux may share the processor among sessions first (autogroup): niceness counts only within one, unless told otherwise.
    if os.getsid(0) in (os.getpid(), os.getppid()):
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(niceness))


def make_output_nonblocking() -> None:
    """Drop output of this process rather than wait for its reader: a paused terminal must not stop a control loop.

    Pipe or terminal is opened anew, since the flag O_NONBLOCK of the old opening is shared with other programs.
    """
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if os.isatty(number) or stat.S_ISFIFO(os.fstat(number).st_mode):
                opened = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
                os.dup2(opened, number)
                os.close(opened)
