"""A process that ends what a killed supervisor leaves behind: `python last_resort.py SECONDS`.

It reads process ids, one a line, from stdin, whose end is the supervisor's end. Linux then asks these processes to end
(PR_SET_PDEATHSIG); those that have not after SECONDS are killed. It needs the standard library alone, so that it is small.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterable


def watched(lines: Iterable[str]) -> list[int]:
    """Open a pidfd of each process that runs, which names this process even when its number is given out again."""
    found = []
    for line in lines:
        with contextlib.suppress(ValueError, OSError):
            found.append(os.pidfd_open(int(line)))
    return found


def end(processes: Iterable[int], seconds: float) -> None:
    """Wait until processes have ended; kill those that have not after so long.

    Args:
        processes: pidfds. A pidfd can be read when its process has ended.
    """
    deadline_s = time.monotonic() + seconds
    for process in processes:
        ended, _, _ = select.select([process], [], [], max(0.0, deadline_s - time.monotonic()))
        if not ended:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(process, signal.SIGKILL)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end(watched(sys.stdin), float(sys.argv[1]))
