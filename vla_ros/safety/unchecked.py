"""Which rules and inputs does a configuration leave off, and which of them does it name?

Every rule that can be left off is here, or in IMPLIED with the reason why its absence needs no word.
"""

from __future__ import annotations

from vla_ros.parameters import Faults
from vla_ros.safety.command.deadman import Deadman
from vla_ros.safety.command.enabling import Enabling
from vla_ros.safety.command.entry import Entry
from vla_ros.safety.command.safety_monitor import SafetyMonitor
from vla_ros.safety.geometry.collision_constraints import configured_rules
from vla_ros.safety.measured.controller_state import ControllerState, GripperFollows
from vla_ros.safety.measured.measured_clearance import MeasuredClearance
from vla_ros.safety.measured.speed_scaling import SpeedScaling
from vla_ros.safety.safety_parameters import SafetyFilterParameters

HEARTBEAT = "heartbeat"
"""No rule: an input of `estop`."""
IMPLIED = {
    MeasuredClearance.NAME: "it is on with the first rule that keeps distances, and each of those is named",
    Entry.NAME: "outputs without stamps have no entry",
}


def not_checked(parameters: SafetyFilterParameters) -> list[str]:
    """Return the names of the rules and inputs that the configuration leaves off."""
    return [name for name, on in _optional(parameters).items() if not on]


def left_unchecked(parameters: SafetyFilterParameters) -> list[str]:
    """Return those of `not_checked` that the configuration does not switch off by name."""
    return [name for name in not_checked(parameters) if name not in parameters.unchecked]


def check_unchecked(parameters: SafetyFilterParameters) -> None:
    """Refuse a name that is of nothing that can be left off.

    Raises:
        ParameterError: it names the parameter, what it got and what there is.
    """
    known, faults = _optional(parameters), Faults()
    for name in parameters.unchecked:
        faults.require(name in known, f"unchecked: {name!r} is nothing that can be left off; known: {', '.join(known)}")
    faults.refuse()


def _optional(parameters: SafetyFilterParameters) -> dict[str, bool]:
    gripper_watched = GripperFollows.configured(parameters) or not parameters.controller.gripper_joint
    return configured_rules(parameters) | {
        Deadman.NAME: Deadman.configured(parameters),
        Enabling.NAME: Enabling.configured(parameters),
        HEARTBEAT: bool(parameters.estop.heartbeat_s),
        SafetyMonitor.NAME: SafetyMonitor.configured(parameters),
        ControllerState.NAME: ControllerState.configured(parameters) and gripper_watched,
        SpeedScaling.NAME: SpeedScaling.configured(parameters),
    }
