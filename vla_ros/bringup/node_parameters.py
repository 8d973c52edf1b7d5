"""The parameters of each node: one dataclass per node, checked before anything starts and declared to ROS by the node."""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass, make_dataclass

from vla_ros.control.action_expert_parameters import ActionExpertParameters
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.control.task_server_parameters import TaskServerParameters
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.parameters import ParameterError, declarations, parameter
from vla_ros.perception.camera_traits import CameraTraits, is_rectified
from vla_ros.policies.registry import policy as registered
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.sim_arm_parameters import SimArmParameters


@dataclass(frozen=True)
class CameraParameters:
    """Which cameras there are and what counts as a fault."""

    cameras: list[str] = parameter(description="names")
    topics: list[str] = parameter(
        [],
        description="images of each camera, in this order, with camera_info beside them; "
        "empty: <name>_camera/image_raw, <name>_camera/camera_info",
    )
    transport: str = parameter("raw", description="kind of image topic of all cameras", choices=("raw", "compressed"))
    transports: list[str] = parameter(
        [],
        description="kind of image topic of each camera, in this order; empty: transport",
        choices=("raw", "compressed"),
    )
    rectified_cameras: list[str] = parameter(
        [],
        description="cameras whose images are rectified, so that P is their matrix; those of a topic image_rect… are anyway",
    )
    distorted_cameras: list[str] = parameter(
        [],
        description="cameras whose images keep their distortion, as their policy was trained; they then have no matrix",
    )
    noisy_cameras: list[str] = parameter(
        [], description="cameras with noise, so that identical images are a fault; of cameras in no list it is learned"
    )
    noiseless_cameras: list[str] = parameter(
        [], description="cameras without noise, as simulators have: identical images are those of a still scene"
    )
    depth_cameras: list[str] = parameter([], description="cameras that also have <name>_camera/depth/image_raw")
    depth_transports: list[str] = parameter(
        [],
        description="kind of depth topic of each of depth_cameras, in their order; empty: raw",
        choices=("raw", "compressedDepth"),
    )
    width: int = parameter(256, description="columns of the published images", unit="pixel", minimum=16, maximum=4096)
    height: int = parameter(256, description="rows of the published images", unit="pixel", minimum=16, maximum=4096)
    rate_hz: float = parameter(10.0, description="sets of frames per second at most", unit="Hz", above=0.0)
    stale_s: float = parameter(0.5, description="an image older than this is stale", unit="s", above=0.0)
    skew_s: float = parameter(
        0.05,
        description="longest wait of a set for images of the first camera's time; depth that differs by more is left out",
        unit="s",
        above=0.0,
    )
    frozen_images: int = parameter(
        20, description="number of identical images in a row from which a noisy camera counts as frozen", minimum=2
    )
    dark_level: float = parameter(
        4.0, description="an image whose mean is below this is dark", minimum=0.0, maximum=255.0
    )
    autostart: bool = parameter(
        True, description="configure and activate at start; false: wait for a lifecycle manager"
    )

    def __post_init__(self) -> None:
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise ParameterError(f"cameras: needs at least one name, each once, got {self.cameras}")
        for key in ("depth_cameras", "rectified_cameras", "distorted_cameras", "noisy_cameras", "noiseless_cameras"):
            unknown = set(getattr(self, key)) - set(self.cameras)
            if unknown:
                raise ParameterError(f"{key}: {', '.join(sorted(unknown))} is not in cameras")
        both = set(self.noisy_cameras) & set(self.noiseless_cameras)
        if both:
            raise ParameterError(f"noiseless_cameras: {', '.join(sorted(both))} is in noisy_cameras too; leave one")
        for key, of in (("topics", "cameras"), ("transports", "cameras"), ("depth_transports", "depth_cameras")):
            given, cameras = getattr(self, key), getattr(self, of)
            if given and len(given) != len(cameras):
                each = "one per camera" if of == "cameras" else f"one for each of {of}"
                raise ParameterError(f"{key}: expected {len(cameras)}, {each}, got {len(given)}")

    def image_topic(self, camera: str) -> str:
        """Return the topic of a camera's raw images."""
        return self.topics[self.cameras.index(camera)] if self.topics else f"{camera}_camera/image_raw"

    def image_transport(self, camera: str) -> str:
        """Return how its images are sent: "raw", "compressed"."""
        return self.transports[self.cameras.index(camera)] if self.transports else self.transport

    def depth_transport(self, camera: str) -> str:
        """Return how its depth is sent: "raw", "compressedDepth"."""
        return self.depth_transports[self.depth_cameras.index(camera)] if self.depth_transports else "raw"

    def traits(self, camera: str, topic: str) -> CameraTraits:
        """Return what is known of a camera beforehand. topic: of its images, as it is after remapping."""
        return CameraTraits(
            rectified=camera in self.rectified_cameras or is_rectified(topic),
            keep_distortion=camera in self.distorted_cameras,
            noisy=True if camera in self.noisy_cameras else False if camera in self.noiseless_cameras else None,
        )


@dataclass(frozen=True)
class MotionPathsParameters:
    """The paths of the tool that RViz draws."""

    joint_names: list[str] = parameter(description="joints that move the tool, and any others")
    tool_frame: str = parameter("tool", description="link of the URDF whose path is drawn")
    base_frame: str = parameter(
        "", description="link that no joint moves: the frame of the paths; empty: the root link of the URDF"
    )
    history_s: float = parameter(3.0, description="how far back the filtered motion reaches", unit="s", above=0.0)
    urdf: str = parameter("", description="file with the robot's URDF; empty: wait for the topic robot_description")


PARAMETERS: dict[str, type] = {
    "camera": CameraParameters,
    "planner": PlannerParameters,
    "action_expert": ActionExpertParameters,
    "safety_filter": SafetyFilterParameters,
    "safety_monitor": SafetyFilterParameters,
    "sim_arm": SimArmParameters,
    "dashboard": DashboardParameters,
    "motion_paths": MotionPathsParameters,
    "task_server": TaskServerParameters,
}
"""Node → its parameter dataclass."""


def full_name(node: str, fault: str) -> str:
    """Return a fault of a node with the full name of its parameter: the core that finds it does not know its node."""
    first = re.match(r"[\w.]*", fault)
    known = {declaration.name for declaration in declarations(PARAMETERS[node])} if node in PARAMETERS else set()
    return f"{node}.{fault}" if first and first[0] in known else fault


SECOND_CHANNEL = "safety_monitor"
"""Judges by the filter's parameters: a file gives it none of its own, as a rule."""
POLICY_NODES = ("planner", "action_expert")
VLM = "vlm"
"""Value of the parameter `system2` of both: a VLM plans in words in front of the policy."""


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


@dataclass(frozen=True, kw_only=True)
class System2Options:
    """The group of parameters that the planner has beside a VLM, and only then."""

    vlm: VlmParameters


def parameters_with_policy(policy: str, system2: str = "") -> dict[str, type]:
    """Return PARAMETERS with the options of `policy` among those of POLICY_NODES; raises as `policy_options`.

    Args:
        policy: its name in the registry.
        system2: "vlm": the planner has System2Options, too.
    """
    classes = dict(PARAMETERS)
    for node in POLICY_NODES:
        bases = [] if (options := policy_options(node, policy)) is None else [options]
        if node == "planner" and system2 == VLM:
            bases.append(System2Options)
        if bases:
            classes[node] = make_dataclass(PARAMETERS[node].__name__, [], bases=(*bases, PARAMETERS[node]), frozen=True)
    return classes
