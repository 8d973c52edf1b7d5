"""How the processes of the graph share the processor with each other and with other programs."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
"""Environment in which libraries for arithmetic leave the other cores alone."""


def real_time(priority: int, cpu: int = -1) -> str:
    """Ask for real-time scheduling of every thread of this process, DDS's included; what became of it, in words.

    Args:
        priority: of SCHED_FIFO. cpu: core that the calling thread is pinned to; -1: none.

    Processes started later do not inherit the priority.
    """
    said = []
    try:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setscheduler(int(thread), os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
        said.append(f"SCHED_FIFO {priority}")
    except (AttributeError, OSError) as error:
        said.append(f"normal; SCHED_FIFO is not permitted here ({error}); give the user rtprio in limits.conf")
    if cpu >= 0:
        try:
            os.sched_setaffinity(threading.get_native_id(), {cpu})
            said.append(f"on core {cpu}")
        except (AttributeError, OSError) as error:
            said.append(f"not pinned to core {cpu} ({error})")
    return "; ".join(said)


def urgent() -> None:
    """Ask for ten times an ordinary program's share of the processor: frames and plans age.

    Where that is not permitted, real-time scheduling is not either, and this process steps back behind those that keep
    a rate: a late frame or plan is stale, a late setpoint is a jerk.
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


def unwaiting() -> None:
    """Lose what this process prints rather than wait for who reads it: a paused terminal must not stop a control loop.

    The pipe or terminal is opened anew for that, since the old opening is shared with other programs.
    """
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if os.isatty(number) or stat.S_ISFIFO(os.fstat(number).st_mode):
                opened = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
                os.dup2(opened, number)
                os.close(opened)
