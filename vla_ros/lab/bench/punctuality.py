"""Late ticks of the filter in a loop on absolute deadlines, in real time, as its node runs it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from vla_ros.lab.bench.filter_rig import FilterRig, sine_motion
from vla_ros.lab.bench.load import garbage_collection_off, real_time_scheduling
from vla_ros.time import NS_PER_S


@dataclass(frozen=True)
class Punctuality:
    """Times of one loop.

    Args:
        scheduling: in words.
        late: ticks that began more than half a period after their deadline, or were skipped.
        wake_median_us, wake_p99_us, wake_largest_us: from the deadline of a tick to its start.
        done_p99_us: from the deadline of a tick to its output.
    """

    scheduling: str
    ticks: int
    late: int
    skipped: int
    wake_median_us: float
    wake_p99_us: float
    wake_largest_us: float
    done_p99_us: float


def measure_punctuality(rig: FilterRig, seconds: float) -> Punctuality:
    """Run the loop for `seconds`."""
    count = int(seconds * NS_PER_S) // rig.period_ns
    woke, done = np.zeros(count, np.int64), np.zeros(count, np.int64)
    late = skipped = taken = 0
    with garbage_collection_off(), real_time_scheduling() as scheduling:
        deadline_ns = time.monotonic_ns() + rig.period_ns
        end_ns = deadline_ns + count * rig.period_ns
        while deadline_ns < end_ns:
            now_ns = time.monotonic_ns()
            missed = max(0, (now_ns - deadline_ns) // rig.period_ns)
            deadline_ns += missed * rig.period_ns
            skipped += missed
            while now_ns < deadline_ns:
                time.sleep((deadline_ns - now_ns) / NS_PER_S)
                now_ns = time.monotonic_ns()
            if taken == count:
                break
            for _ in range(missed):
                list(rig.advance())  # the clock goes on through ticks that were missed
            for at_s in rig.advance():
                rig.send_setpoint(at_s, sine_motion(at_s))
            rig.send_joint_state()
            rig.send_obstacles()
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
