"""What each node can be told: one dataclass per node, checked before anything starts and declared to ROS by the node."""

from __future__ import annotations

import typing
from dataclasses import dataclass, make_dataclass

from vla_ros.control.chunk_player import SPLICINGS
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.guard.guard_parameters import GuardParameters
from vla_ros.monitors.monitor_parameters import MonitorsParameters
from vla_ros.parameters import ParameterError, parameter
from vla_ros.policies.policy_parameters import ClassicalParameters, CompactParameters, ScriptedParameters
from vla_ros.policies.registry import policy as registered
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.sim_arm_parameters import SimArmParameters

POLICY = "policy, as vla_ros/policies/registry.py names it"


@dataclass(frozen=True)
class CameraParameters:
    """Which cameras there are and what counts as a fault."""

    cameras: list[str] = parameter(description="names")
    topics: list[str] = parameter(
        [],
        description="images of each camera, in this order, with camera_info beside them; "
        "empty: <name>_camera/image_raw, <name>_camera/camera_info",
    )
    transport: str = parameter("raw", description="kind of image topic", choices=("raw", "compressed"))
    depth_cameras: list[str] = parameter([], description="cameras that also have <name>_camera/depth/image_raw")
    width: int = parameter(256, description="columns of the images handed on", unit="pixel", minimum=16, maximum=4096)
    height: int = parameter(256, description="rows of the images handed on", unit="pixel", minimum=16, maximum=4096)
    rate_hz: float = parameter(10.0, description="sets of frames per second at most", unit="Hz", above=0.0)
    stale_s: float = parameter(0.5, description="an image older than this is stale", unit="s", above=0.0)
    skew_s: float = parameter(
        0.05,
        description="a set waits so long for images of the moment of the first camera's; depth further off is left out",
        unit="s",
        above=0.0,
    )
    frozen_images: int = parameter(20, description="so many identical images in a row are a frozen camera", minimum=2)
    dark_level: float = parameter(
        4.0, description="an image whose mean is below this is dark", minimum=0.0, maximum=255.0
    )
    autostart: bool = parameter(
        True, description="configure and activate at start; false: wait for a lifecycle manager"
    )

    def __post_init__(self) -> None:
        strangers = set(self.depth_cameras) - set(self.cameras)
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise ParameterError(f"cameras: needs at least one name, each once, got {self.cameras}")
        if strangers:
            raise ParameterError(f"depth_cameras: {', '.join(sorted(strangers))} is not in cameras")
        if self.topics and len(self.topics) != len(self.cameras):
            raise ParameterError(f"topics: expected {len(self.cameras)}, one per camera, got {len(self.topics)}")


@dataclass(frozen=True)
class PlannerParameters:
    """System 2."""

    classical: ClassicalParameters
    compact: CompactParameters
    scripted: ScriptedParameters
    guard: GuardParameters
    monitors: MonitorsParameters
    joint_names: list[str] = parameter(description="joints that the policy moves, in its order")
    policy: str = parameter("classical", description=POLICY)
    prompt: str = parameter("plain.v1", description="how a policy is told the instruction: a file in config/prompts/")
    tool_frame: str = parameter("tool", description="link of the URDF whose pose is planned")
    base_frame: str = parameter("base", description="root link of the URDF: the frame of waypoints and camera poses")
    cameras: list[str] = parameter(
        [], description="cameras that have a fixed, known pose, in the order of camera_poses"
    )
    camera_poses: list[float] = parameter(
        [], description="x y z qx qy qz qw of each camera's optical frame in the base frame", unit="m"
    )
    required_cameras: list[str] = parameter([], description="without a healthy image of these the arm holds")
    rate_hz: float = parameter(10.0, description="plans per second at most", unit="Hz", above=0.0, maximum=100.0)
    shared_memory_bytes: int = parameter(
        0,
        description="plans of at least so many bytes go through shared memory instead of the message; 0: never. "
        "Only where planner and action expert run on one host",
        minimum=0,
    )
    frames_timeout_s: float = parameter(
        0.5, description="without frames for this long the arm holds", unit="s", above=0.0
    )
    valid_for_s: float = parameter(0.6, description="age at which a plan is void", unit="s", above=0.0)
    urdf: str = parameter("", description="file with the robot's URDF; empty: wait for the topic robot_description")
    autostart: bool = parameter(
        True, description="configure and activate at start; false: wait for a lifecycle manager"
    )

    def __post_init__(self) -> None:
        if len(self.camera_poses) != 7 * len(self.cameras):
            raise ParameterError(
                f"camera_poses: {len(self.camera_poses)} values for {len(self.cameras)} cameras; each needs 7"
            )


@dataclass(frozen=True)
class ActionExpertParameters:
    """System 1."""

    classical: ClassicalParameters
    compact: CompactParameters
    scripted: ScriptedParameters
    joint_names: list[str] = parameter(description="joints that the policy moves, in its order")
    policy: str = parameter("classical", description=POLICY)
    tool_frame: str = parameter("tool", description="link of the URDF that the policy moves")
    rate_hz: float = parameter(100.0, description="setpoints per second", unit="Hz", minimum=10.0, maximum=500.0)
    phase_s: float = parameter(-0.0013, description="offset of the setpoints from the grid of the clock", unit="s")
    chunk_period_s: float = parameter(
        0.15,
        description="longest time from one request for a chunk to the next; a new plan is asked for at once",
        unit="s",
        above=0.0,
    )
    splicing: str = parameter("real_time", description="how chunks follow each other", choices=SPLICINGS)
    anchor_distance: float = parameter(
        0.08,
        description="a new chunk starts at the measured arm when it is so far from where it is told to be",
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


@dataclass(frozen=True)
class MotionPathsParameters:
    """The paths of the tool that RViz draws."""

    joint_names: list[str] = parameter(description="joints that move the tool, and any others")
    tool_frame: str = parameter("tool", description="link of the URDF whose path is drawn")
    base_frame: str = parameter("base", description="root link of the URDF: the frame of the paths")
    history_s: float = parameter(3.0, description="how far back the filtered motion reaches", unit="s", above=0.0)
    urdf: str = parameter("", description="file with the robot's URDF; empty: wait for the topic robot_description")


PARAMETERS: dict[str, type] = {
    "camera": CameraParameters,
    "planner": PlannerParameters,
    "action_expert": ActionExpertParameters,
    "safety_filter": SafetyFilterParameters,
    "sim_arm": SimArmParameters,
    "dashboard": DashboardParameters,
    "motion_paths": MotionPathsParameters,
}

POLICY_NODES = ("planner", "action_expert")


def policy_options(node: str, policy: str) -> type | None:
    """Return a dataclass with one group, the options of a policy of another package; None where the node has them anyway.

    Args:
        node: one of POLICY_NODES. policy: its name in the registry, which is the group's.

    Raises:
        ParameterError: the registry refuses the policy, or its name is that of another parameter of the node.
    """
    options, fields = registered(policy).parameters, typing.get_type_hints(PARAMETERS[node])
    if fields.get(policy) is options:
        return None
    if policy in fields:
        raise ParameterError(f"policy {policy!r}: {node} has a parameter of that name; rename the entry point")
    return make_dataclass("PolicyOptions", [(policy, options)], frozen=True, kw_only=True)


def parameters_with_policy(policy: str) -> dict[str, type]:
    """Return PARAMETERS with the options of `policy` among those of POLICY_NODES; raises as `policy_options`."""
    classes = dict(PARAMETERS)
    for node in POLICY_NODES:
        if (options := policy_options(node, policy)) is not None:
            classes[node] = make_dataclass(
                PARAMETERS[node].__name__, [], bases=(options, PARAMETERS[node]), frozen=True
            )
    return classes
