"""The fault campaign: it injects faults into running nodes and compares each reaction with the expected one.

    results, outputs = run(all_cases(bounds()), print)
    print(summary(results, outputs, seconds))

Names are imported when they are first used: the filter's process imports `raising` alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

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
_MODULES = {
    "campaign": ("run",),
    "case": ("FaultCase",),
    "cases": ("all_cases",),
    "graphs": ("bounds",),
    "reaction": ("ExpectedReaction", "ObservedReaction"),
    "report": ("document", "summary"),
    "result": ("FaultResult", "OutputResult"),
    "rig": ("FaultRig",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
