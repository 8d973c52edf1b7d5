"""All cases of the campaign."""

from __future__ import annotations

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.cases import (
    authority,
    controllers,
    environment,
    floods,
    measured,
    processes,
    refusals,
    second_channel,
    setpoints,
    stamps,
)
from vla_ros.lab.faults.rest_bounds import RestBounds

__all__ = ["all_cases"]

MODULES = (
    refusals,
    setpoints,
    stamps,
    measured,
    controllers,
    authority,
    floods,
    environment,
    processes,
    second_channel,
)


def all_cases(bounds: RestBounds) -> tuple[FaultCase, ...]:
    """Return the cases in the order in which they run within their graph."""
    return tuple(case for module in MODULES for case in module.cases(bounds))
