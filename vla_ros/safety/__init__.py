"""The safety filter without ROS: `SafetyFilter` decides what is sent, `Setpoint` goes in, `Decision` comes out.

Start at `filter.py`: its tuples are the order of the checks. `messages.py`, `services.py` and `tick.py` are what its calls
do, `state.py` is all that changes, `rules.py` the shape of a rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

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
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "command.setpoint": ("Setpoint",),
        "decision": ("Decision",),
        "filter": ("SafetyFilter",),
        "geometry.obstacle_shape": ("Obstacle",),
        "rules": (
            "Action",
            "Scope",
            "SetpointRule",
            "StepRule",
            "TickRule",
        ),
        "safety_parameters": ("SafetyFilterParameters",),
        "state": ("FilterState",),
        "states": ("State",),
        "verdict": ("Verdict",),
    },
)
