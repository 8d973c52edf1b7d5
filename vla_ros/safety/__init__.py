"""The safety filter without ROS: `SafetyFilter` decides what is sent, `Setpoint` goes in, `Decision` comes out.

Start at `filter.py`: its tuples are the order of the checks. `messages.py`, `services.py` and `tick.py` are what its calls
do, `state.py` is all that changes, `rules.py` the shape of a rule.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vla_ros.safety.command.setpoint import Setpoint
    from vla_ros.safety.decision import Decision
    from vla_ros.safety.filter import SafetyFilter
    from vla_ros.safety.geometry.obstacle_shape import Obstacle
    from vla_ros.safety.rules import Action, Scope, SetpointRule, StepRule, TickRule
    from vla_ros.safety.safety_parameters import SafetyFilterParameters
    from vla_ros.safety.state import FilterState
    from vla_ros.safety.states import State
    from vla_ros.safety.verdict import Verdict

__all__ = [
    "Action",
    "Decision",
    "FilterState",
    "Obstacle",
    "SafetyFilter",
    "SafetyFilterParameters",
    "Scope",
    "Setpoint",
    "SetpointRule",
    "State",
    "StepRule",
    "TickRule",
    "Verdict",
]
_MODULES = {
    "Setpoint": "command.setpoint",
    "Decision": "decision",
    "SafetyFilter": "filter",
    "Obstacle": "geometry.obstacle_shape",
    **dict.fromkeys(("Action", "Scope", "SetpointRule", "StepRule", "TickRule"), "rules"),
    "SafetyFilterParameters": "safety_parameters",
    "FilterState": "state",
    "State": "states",
    "Verdict": "verdict",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: the filter needs pinocchio and coal, its states and parameters do not."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
