"""Late ticks: the filter in a loop on absolute deadlines, in real time, as its node runs it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from vla_ros.lab.bench.filter_rig import Rig, wave
from vla_ros.lab.bench.load import collected, real_time


@dataclass(frozen=True)
class Punctuality:
    """Of one loop. late: turns that began more than half a period after their deadline, or were skipped.

    scheduling: in words. wake_*_us: how long after its deadline a turn began. done_us: and when its output was ready.
    """

    scheduling: str
    ticks: int
    late: int
    skipped: int
    wake_median_us: float
    wake_p99_us: float
    wake_largest_us: float
    done_p99_us: float


def punctuality(rig: Rig, seconds: float) -> Punctuality:
    """Run the loop for so long."""
    turns = int(seconds * 1e9) // rig.period_ns
    woke, done = np.zeros(turns, np.int64), np.zeros(turns, np.int64)
    late = skipped = taken = 0
    with collected(), real_time() as scheduling:
        deadline_ns = time.monotonic_ns() + rig.period_ns
        end_ns = deadline_ns + turns * rig.period_ns
        while deadline_ns < end_ns:
            now_ns = time.monotonic_ns()
            missed = max(0, (now_ns - deadline_ns) // rig.period_ns)
            deadline_ns += missed * rig.period_ns
            skipped += missed
            while now_ns < deadline_ns:
                time.sleep((deadline_ns - now_ns) / 1e9)
                now_ns = time.monotonic_ns()
            if taken == turns:
                break
            for _ in range(missed):
                list(rig.due())  # the clock goes on through turns that were missed
            for at_s in rig.due():
                rig.command(at_s, wave(at_s))
            rig.measure()
            rig.hear()
            rig.tick()
            woke[taken], done[taken] = now_ns - deadline_ns, time.monotonic_ns() - deadline_ns
            late += missed + (now_ns - deadline_ns > rig.period_ns // 2)
            taken += 1
            deadline_ns += rig.period_ns
    wake_us = woke[:taken] / 1e3
    median, p99, largest = (float(x) for x in np.percentile(wake_us, [50, 99, 100]))
    return Punctuality(
        scheduling, taken, late, skipped, median, p99, largest, float(np.percentile(done[:taken] / 1e3, 99))
    )
