"""The growth of the filter's memory: resident size before and after many ticks of the adversarial stream."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from vla_ros.lab.bench.adversary import Adversary
from vla_ros.lab.bench.filter_rig import FilterRig
from vla_ros.lab.bench.load import garbage_collection_off, real_time_scheduling
from vla_ros.safety.states import LATCHED, State

WARM_UP = 5_000
"""At most so many ticks before the first reading: caches fill and arrays are allocated."""


@dataclass(frozen=True)
class MemoryGrowth:
    """Resident size, KiB, after the warm-up and after `ticks` more.

    Args:
        accepted, rejected: setpoints of these ticks.
    """

    ticks: int
    before_kib: int
    after_kib: int
    accepted: int
    rejected: int

    @property
    def growth_kib(self) -> int:
        """Difference of both readings."""
        return self.after_kib - self.before_kib


def measure_memory(rig: FilterRig, ticks: int, seed: int) -> MemoryGrowth:
    """Run the adversarial stream with the garbage collector off, as the node does while the arm moves."""
    process = psutil.Process()
    adversary = Adversary(rig.filter.limits, seed)
    with garbage_collection_off(), real_time_scheduling():
        _run(rig, adversary, min(WARM_UP, ticks))
        before = process.memory_info().rss
        accepted, rejected = rig.filter.accepted, rig.filter.rejected
        _run(rig, adversary, ticks)
        after = process.memory_info().rss
    return MemoryGrowth(
        ticks, before // 1024, after // 1024, rig.filter.accepted - accepted, rig.filter.rejected - rejected
    )


def _run(rig: FilterRig, adversary: Adversary, ticks: int) -> None:
    for _ in range(ticks):
        for at_s in rig.advance():
            rig.send_setpoint(at_s, adversary.target(at_s))
        rig.send_joint_state()
        rig.send_obstacles()
        rig.tick()
        if rig.filter.state in LATCHED:
            rig.filter.reset(rig.now_ns)
        elif rig.filter.state is State.DISARMED:
            rig.filter.arm(rig.now_ns)
