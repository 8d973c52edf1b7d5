"""Whether the filter's memory stays flat: resident size before and after many ticks of everything that can happen."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from vla_ros.lab.bench.adversary import Adversary
from vla_ros.lab.bench.filter_rig import Rig
from vla_ros.lab.bench.load import collected, real_time
from vla_ros.safety.states import LATCHED, State

WARM_UP = 5_000
"""At most so many ticks before the first look: caches fill, arrays are made."""


@dataclass(frozen=True)
class Memory:
    """Resident size, KiB, after the warm-up and after `ticks` more."""

    ticks: int
    before_kib: int
    after_kib: int
    accepted: int
    rejected: int

    @property
    def growth_kib(self) -> int:
        return self.after_kib - self.before_kib


def memory(rig: Rig, ticks: int, seed: int) -> Memory:
    """Run the adversarial stream with the collector off, as the node runs between its rests."""
    process = psutil.Process()
    adversary = Adversary(rig.filter.limits, seed)
    with collected(), real_time():
        _run(rig, adversary, min(WARM_UP, ticks))
        before = process.memory_info().rss
        accepted, rejected = rig.filter.accepted, rig.filter.rejected
        _run(rig, adversary, ticks)
        after = process.memory_info().rss
    return Memory(ticks, before // 1024, after // 1024, rig.filter.accepted - accepted, rig.filter.rejected - rejected)


def _run(rig: Rig, adversary: Adversary, ticks: int) -> None:
    for _ in range(ticks):
        for at_s in rig.due():
            rig.command(at_s, adversary.target(at_s))
        rig.measure()
        rig.hear()
        rig.tick()
        if rig.filter.state in LATCHED:
            rig.filter.reset(rig.now_ns)
        elif rig.filter.state is State.DISARMED:
            rig.filter.arm(rig.now_ns)
