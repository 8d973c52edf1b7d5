"""A filter, its clock, and an arm that is where the filter's last output was."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter

PERIOD_NS = 4_000_000
SETTLE_NS = 200_000_000
START_NS = 1_000_000_000_000


class PerfectArm(ABC):
    """Each `tick` is 4 ms later.

    Attributes: q: where the arm is. decisions: of every tick.
    """

    def __init__(self, safety: SafetyFilter, q: Sequence[float]) -> None:
        self.filter = safety
        self.now_ns = START_NS
        self.q = list(q)
        self.decisions: list[Decision] = []
        self._seq = itertools.count(1)

    @abstractmethod
    def measure(self) -> None:
        """Tell the filter what is measured now."""

    def settle(self) -> None:
        """Measure for as long as joint states must be consistent before the arm can be armed."""
        for _ in range(SETTLE_NS // PERIOD_NS + 1):
            self.now_ns += PERIOD_NS
            self.measure()

    def armed(self) -> Self:
        self.settle()
        self.tick()
        assert self.filter.arm(self.now_ns) == (True, "armed; holding the measured position")
        return self

    def tick(self, count: int = 1) -> Decision:
        for _ in range(count):
            self.now_ns += PERIOD_NS
            self.measure()
            decision = self.filter.tick(self.now_ns)
            if decision.positions is not None:
                self.q = list(decision.positions)
            self.decisions.append(decision)
        return decision
