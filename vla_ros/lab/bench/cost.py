"""The cost of a tick: the time of each call into the filter, and of all of them together."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.lab.bench.filter_rig import FilterRig, sine_motion
from vla_ros.lab.bench.load import garbage_collection_off, real_time_scheduling

Integers = NDArray[np.int64]

WHOLE = "whole tick"
REFERENCE = "(1000 additions)"
"""A loop in Python timed beside the filter: it shows how fast the machine was during the run."""
STAGES = ("joint_state", "obstacles", "command", "tick", WHOLE, REFERENCE)
REFERENCE_TICKS = 10
"""Ticks from one such loop to the next."""
WARM_UP = 500
"""At most so many ticks at the start are not counted."""
PAUSE_S = 1e-4
"""Between two ticks: a kernel halts a real-time process that takes more than 95 % of a second."""


@dataclass(frozen=True)
class StageCost:
    """Times of one stage, µs.

    Args:
        count: number of calls.
    """

    stage: str
    count: int
    median_us: float
    p99_us: float
    p999_us: float
    largest_us: float


def measure_costs(rig: FilterRig, ticks: int) -> list[StageCost]:
    """Run the sine motion for so many ticks and time every call. "whole tick": all calls between two outputs together."""
    warm_up = min(WARM_UP, ticks)
    times = {stage: np.zeros(ticks + warm_up, np.int64) for stage in STAGES}
    clock = time.perf_counter_ns
    with garbage_collection_off(), real_time_scheduling():
        for i in range(ticks + warm_up):
            due = [(at_s, sine_motion(at_s)) for at_s in rig.advance()]
            begin = clock()
            rig.send_joint_state()
            measured = clock()
            obstacles_sent = rig.send_obstacles()
            at_obstacles = clock()
            for at_s, positions in due:
                rig.send_setpoint(at_s, positions)
            commanded = clock()
            rig.tick()
            end = clock()
            times["joint_state"][i] = measured - begin
            times["obstacles"][i] = at_obstacles - measured if obstacles_sent else 0
            times["command"][i] = commanded - at_obstacles if due else 0
            times["tick"][i] = end - commanded
            times[WHOLE][i] = end - begin
            if i % REFERENCE_TICKS == 0:
                begin, total = clock(), 0
                for number in range(1000):
                    total += number
                times[REFERENCE][i] = clock() - begin
            time.sleep(PAUSE_S)
    return [cost for stage in STAGES if (cost := _cost(stage, times[stage][warm_up:])) is not None]


def measure_whole_tick(rig: FilterRig, ticks: int) -> StageCost:
    """Return the cost of all calls between two outputs together."""
    return next(cost for cost in measure_costs(rig, ticks) if cost.stage == WHOLE)


def _cost(stage: str, times_ns: Integers) -> StageCost | None:
    """Return the percentiles of the calls that were made; None: there were none."""
    made = times_ns[times_ns > 0] / 1e3
    if not len(made):
        return None
    median, p99, p999, largest = (float(x) for x in np.percentile(made, [50, 99, 99.9, 100]))
    return StageCost(stage, len(made), median, p99, p999, largest)
