"""What a tick costs: each call into the filter timed by itself, and their sum."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.lab.bench.filter_rig import Rig, wave
from vla_ros.lab.bench.load import collected, real_time

Integers = NDArray[np.int64]

WHOLE = "whole tick"
PACE = "(1000 additions)"
"""A loop in Python beside the filter: how fast the machine was in that very run."""
STAGES = ("joint_state", "obstacles", "command", "tick", WHOLE, PACE)
PACE_TICKS = 10
"""Ticks from one such loop to the next."""
WARM_UP = 500
"""At most so many ticks are not counted."""


@dataclass(frozen=True)
class Cost:
    """Of one stage, µs. count: of calls."""

    stage: str
    count: int
    median_us: float
    p99_us: float
    p999_us: float
    largest_us: float


PAUSE_S = 1e-4
"""Between two ticks: a kernel halts a real-time process that takes more than 95 % of a second."""


def costs(rig: Rig, ticks: int) -> list[Cost]:
    """Run the wave for so many ticks and time every call. "whole tick": all calls between two outputs together."""
    warm_up = min(WARM_UP, ticks)
    times = {stage: np.zeros(ticks + warm_up, np.int64) for stage in STAGES}
    clock = time.perf_counter_ns
    with collected(), real_time():
        for i in range(ticks + warm_up):
            due = [(at_s, wave(at_s)) for at_s in rig.due()]
            begin = clock()
            rig.measure()
            measured = clock()
            heard = rig.hear()
            at_obstacles = clock()
            for at_s, positions in due:
                rig.command(at_s, positions)
            commanded = clock()
            rig.tick()
            end = clock()
            times["joint_state"][i] = measured - begin
            times["obstacles"][i] = at_obstacles - measured if heard else 0
            times["command"][i] = commanded - at_obstacles if due else 0
            times["tick"][i] = end - commanded
            times[WHOLE][i] = end - begin
            if i % PACE_TICKS == 0:
                begin, total = clock(), 0
                for number in range(1000):
                    total += number
                times[PACE][i] = clock() - begin
            time.sleep(PAUSE_S)
    return [cost for stage in STAGES if (cost := _cost(stage, times[stage][warm_up:])) is not None]


def whole_tick(rig: Rig, ticks: int) -> Cost:
    """All calls between two outputs together."""
    return next(cost for cost in costs(rig, ticks) if cost.stage == WHOLE)


def _cost(stage: str, times_ns: Integers) -> Cost | None:
    """Percentiles of the calls that were made."""
    made = times_ns[times_ns > 0] / 1e3
    if not len(made):
        return None
    median, p99, p999, largest = (float(x) for x in np.percentile(made, [50, 99, 99.9, 100]))
    return Cost(stage, len(made), median, p99, p999, largest)
