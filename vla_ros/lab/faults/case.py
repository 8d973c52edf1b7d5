"""One fault of the campaign: how it is injected and which reaction is expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vla_ros.lab.faults.reaction import ExpectedReaction
from vla_ros.lab.faults.rig import FaultRig


@dataclass(frozen=True)
class FaultCase:
    """One fault.

    Args:
        name: on the command line.
        fault: in words.
        inject: injects the fault; the arm is then as `start` says.
        graph: one of `vla_ros.lab.faults.graphs.GRAPHS`.
        start: "moving" (in the middle of a swing), "holding" or "disarmed".
        stalls: the fault itself is a stall, a step of the clock or a load on the machine. Such a case is not tried again
            because of a stall.
    """

    name: str
    fault: str
    expected: ExpectedReaction
    inject: Callable[[FaultRig], None]
    graph: str = "filter"
    start: str = "moving"
    stalls: bool = False
