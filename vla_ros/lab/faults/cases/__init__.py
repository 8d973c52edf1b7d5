"""All cases."""

from __future__ import annotations

from vla_ros.lab.faults.case import Case
from vla_ros.lab.faults.cases import authority, measured, processes, refusals, setpoints, stamps, surroundings
from vla_ros.lab.faults.times import Times

MODULES = (refusals, setpoints, stamps, measured, authority, surroundings, processes)


def all_cases(times: Times) -> tuple[Case, ...]:
    """In the order in which they run within their graph."""
    return tuple(case for module in MODULES for case in module.cases(times))
