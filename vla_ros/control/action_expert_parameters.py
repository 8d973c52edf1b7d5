"""What the action expert can be told."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.control.chunk_player import CHUNK_TRANSITIONS
from vla_ros.parameters import ParameterError, parameter
from vla_ros.policies.policy_parameters import ClassicalParameters, CompactParameters, ScriptedParameters


@dataclass(frozen=True)
class ActionExpertParameters:
    """System 1 and how its chunks are played."""

    classical: ClassicalParameters
    compact: CompactParameters
    scripted: ScriptedParameters
    joint_names: list[str] = parameter(description="joints that the policy moves, in its order")
    policy: str = parameter("classical", description="policy, as vla_ros/policies/registry.py names it")
    system2: str = parameter(
        "", description="vlm: a vision-language model plans in words in front of the policy", choices=("", "vlm")
    )
    tool_frame: str = parameter("tool", description="link of the URDF that the policy moves")
    rate_hz: float = parameter(100.0, description="setpoints per second", unit="Hz", minimum=10.0, maximum=500.0)
    phase_s: float = parameter(-0.0013, description="offset of the setpoints from the grid of the clock", unit="s")
    lead_s: float = parameter(
        0.0,
        description="setpoints are computed and stamped for so much later; the filter's command.delay_s may be shorter by "
        "as much, and command.max_lead_s must allow it",
        unit="s",
        minimum=0.0,
        maximum=0.5,
    )
    chunk_period_s: float = parameter(
        0.15,
        description="longest time from one request for a chunk to the next; a new plan requests one at once",
        unit="s",
        above=0.0,
    )
    chunk_transition: str = parameter(
        "real_time", description="how one chunk follows another", choices=CHUNK_TRANSITIONS
    )
    splicing: str = parameter("", description="old name of chunk_transition; refused when it is given")
    anchor_distance: float = parameter(
        0.08,
        description="a new chunk starts at the measured arm when a joint is this far from its setpoint",
        unit="rad",
        above=0.0,
    )
    joint_state_timeout_s: float = parameter(
        0.2, description="without a joint state for this long no setpoints are made", unit="s", above=0.0
    )
    urdf: str = parameter("", description="file with the robot's URDF; empty: wait for the topic robot_description")
    autostart: bool = parameter(
        True, description="configure and activate at start; false: wait for a lifecycle manager"
    )

    def __post_init__(self) -> None:
        if self.splicing:
            raise ParameterError(f"splicing: renamed, write chunk_transition: {self.splicing}")
