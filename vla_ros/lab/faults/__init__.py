"""The fault campaign: it injects faults into running nodes and compares each reaction with the expected one.

    results, outputs = run(all_cases(bounds()), print)
    print(summary(results, outputs, seconds))

Names are imported when they are first used: the filter's process imports `raising` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.lab.faults.campaign import run
    from vla_ros.lab.faults.case import FaultCase
    from vla_ros.lab.faults.cases import all_cases
    from vla_ros.lab.faults.graphs import bounds
    from vla_ros.lab.faults.reaction import ExpectedReaction, ObservedReaction
    from vla_ros.lab.faults.report import document, summary
    from vla_ros.lab.faults.result import FaultResult, OutputResult
    from vla_ros.lab.faults.rig import FaultRig

__all__ = [
    "ExpectedReaction",
    "FaultCase",
    "FaultResult",
    "FaultRig",
    "ObservedReaction",
    "OutputResult",
    "all_cases",
    "bounds",
    "document",
    "run",
    "summary",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "campaign": ("run",),
        "case": ("FaultCase",),
        "cases": ("all_cases",),
        "graphs": ("bounds",),
        "reaction": (
            "ExpectedReaction",
            "ObservedReaction",
        ),
        "report": (
            "document",
            "summary",
        ),
        "result": (
            "FaultResult",
            "OutputResult",
        ),
        "rig": ("FaultRig",),
    },
)
