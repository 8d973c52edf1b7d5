"""What rules are made of and given in their tests: two joints, a configuration, a state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vla_ros.parameters import flattened, from_mapping, nested
from vla_ros.safety.command.authority import no_publishers
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.joint.joint_motion import JointOutput
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import State

MS = 1_000_000
LIMITS = (JointLimits("a", -1.0, 1.0, 2.0, 10.0, 1000.0), JointLimits("b", 0.0, 0.04, 0.1, 1.0, 50.0))


def parameters(**changes: Any) -> SafetyFilterParameters:
    """A configuration of two joints with changes given as {"command.timeout_s": 0.1}."""
    mapping = {
        "joint_names": [joint.name for joint in LIMITS],
        "limits": {"acceleration": [10.0, 1.0], "jerk": [1000.0, 50.0]},
        "command": {
            **{"period_s": 0.01, "delay_s": 0.022, "timeout_s": 0.06, "max_age_s": 0.1, "max_lead_s": 0.05},
            "step": [0.2, 0.04],
        },
        "measured": {
            **{"timeout_s": 0.1, "position_tolerance": [0.001, 0.002]},
            **{"tracking_error": [0.1, 0.05], "rest_velocity": [0.02, 0.01]},
        },
        "override": {"speed_scale": 0.25},
        "controller": {"type": "forward_position", "topic": "c"},
    }
    return from_mapping(SafetyFilterParameters, nested({**flattened(mapping), **changes}))


def filter_state(
    state: State = State.HOLDING, q: Sequence[int] = (0, 0), followed: str = "", **publishers: Sequence[str]
) -> FilterState:
    """A state with the output at q, nanoradian or nanometre, and these publishers by channel."""
    known = no_publishers() | {channel: tuple(names) for channel, names in publishers.items()}
    return FilterState(state=state, joints=[JointOutput(at) for at in q], followed=followed, publishers=known)
