"""Results of the campaign: of each case, and of all outputs of a graph's filter."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.reaction import ObservedReaction

CASE_S = 240.0
"""A case, with all its tries, may take so long."""
TRIES = 5
"""Largest number of tries of a case."""
RETRY_STALL_S = 0.04
"""A case that fails while the rig or the filter did not run for so long says nothing about the filter; it is tried again. A
case that itself causes such a stall is tried once: see `FaultCase.stalls`."""
RETRY_LATE_TICKS = 10
"""So is one that fails while so many ticks of the filter were late: many short stalls do what a long one does."""


@dataclass(frozen=True)
class FaultResult:
    """The result of one case.

    Args:
        wrong: what was not as expected; empty: nothing.
        load: load average of the last minute.
        stalls: what the machine did in each try before this one, in words.
        overdue: it was ended at its deadline; what it has left behind is not known.
    """

    case: FaultCase
    observed: ObservedReaction
    wrong: list[str]
    load: float
    stalls: tuple[str, ...] = ()
    overdue: bool = False


@dataclass(frozen=True)
class OutputResult:
    """What the oracle found in all outputs of one graph's filter, read from the audit log.

    Args:
        samples: number of outputs.
        worst: quantity → largest share of its limit.
        broken: what is past a limit; empty: nothing.
    """

    graph: str
    samples: int
    worst: dict[str, float]
    broken: list[str]

    def text(self) -> str:
        """Return the result in one line."""
        shares = ", ".join(f"{quantity} {share:.9f}" for quantity, share in self.worst.items())
        verdict = "; ".join(self.broken) or "within every limit"
        return f"graph {self.graph!r}: {self.samples} outputs; largest shares: {shares}; {verdict}"
