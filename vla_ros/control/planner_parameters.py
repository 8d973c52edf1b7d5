"""What the planner can be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.guard.guard_parameters import GuardParameters
from vla_ros.language.reader import LanguageParameters
from vla_ros.monitors.monitor_parameters import MonitorsParameters
from vla_ros.parameters import ParameterError, parameter
from vla_ros.policies.policy_parameters import ClassicalParameters, CompactParameters, ScriptedParameters
from vla_ros.transforms import matrix


@dataclass(frozen=True)
class PlannerParameters:
    """System 2, the guard in front of it and the monitors beside it."""

    classical: ClassicalParameters
    compact: CompactParameters
    scripted: ScriptedParameters
    guard: GuardParameters
    language: LanguageParameters
    monitors: MonitorsParameters
    joint_names: list[str] = parameter(description="joints that the policy moves, in its order")
    policy: str = parameter("classical", description="policy, as vla_ros/policies/registry.py names it")
    system2: str = parameter(
        "", description="vlm: a vision-language model plans in words in front of the policy", choices=("", "vlm")
    )
    prompt: str = parameter(
        "plain.v1", description="template of the instruction for the policy: a file in config/prompts/"
    )
    tool_frame: str = parameter("tool", description="link of the URDF whose pose is planned")
    base_frame: str = parameter(
        "",
        description="link that no joint moves, in which camera_poses were measured; empty: the root link of the URDF, in "
        "whose frame everything else is",
    )
    cameras: list[str] = parameter(
        [],
        description="cameras whose pose is known, in the order of camera_poses; of others the URDF may have the frame_id of "
        "their images as a link, or /tf",
    )
    camera_poses: list[float] = parameter(
        [], description="x y z qx qy qz qw of each camera's optical frame in base_frame", unit="m"
    )
    camera_links: list[str] = parameter(
        [],
        description="link on which each of cameras is mounted, in their order: its camera_poses are in that link's frame; "
        "empty, or an empty name: the base frame",
    )
    camera_names: list[str] = parameter(
        [], description="all cameras of the robot; bringup takes the camera node's; empty: the first frames tell"
    )
    required_cameras: list[str] = parameter([], description="without a healthy image of these the arm holds")
    rate_hz: float = parameter(10.0, description="plans per second at most", unit="Hz", above=0.0, maximum=100.0)
    shared_memory_bytes: int = parameter(
        262_144,
        description="plans of this many bytes or more go through shared memory instead of the message, while all who "
        "read them run on the planner's host; 0: never",
        minimum=0,
    )
    frames_timeout_s: float = parameter(
        0.5, description="without frames for this long the arm holds", unit="s", above=0.0
    )
    valid_for_s: float = parameter(0.6, description="age from which a plan is invalid", unit="s", above=0.0)
    urdf: str = parameter("", description="file with the robot's URDF; empty: wait for the topic robot_description")
    autostart: bool = parameter(
        True, description="configure and activate at start; false: wait for a lifecycle manager"
    )

    @property
    def mounted_cameras(self) -> dict[str, tuple[str, Array]]:
        """Camera on a link → that link, and its pose (4, 4) in the link's frame, m."""
        rows = zip(self.cameras, self.camera_links, np.reshape(self.camera_poses, (-1, 7)), strict=False)
        return {name: (link, matrix(pose[:3], pose[3:])) for name, link, pose in rows if link}

    def __post_init__(self) -> None:
        if len(self.camera_poses) != 7 * len(self.cameras):
            raise ParameterError(
                f"camera_poses: {len(self.camera_poses)} values for {len(self.cameras)} cameras; each needs 7"
            )
        if self.camera_links and len(self.camera_links) != len(self.cameras):
            raise ParameterError(
                f"camera_links: {len(self.camera_links)} names for {len(self.cameras)} cameras; each needs one"
            )
