"""The parts of messages that the page shows, as plain data without ROS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vla_ros.arrays import Array, Image


@dataclass(frozen=True)
class FilterStatus:
    """One vla/safety_status; fields as in SafetyStatus.msg."""

    state: str
    rule: str = ""
    reason: str = ""
    source: str = ""
    joint: str = ""
    requested: float = float("nan")
    limit: float = float("nan")
    granted: float = float("nan")
    joint_names: Sequence[str] = ()
    positions: Sequence[float] = ()
    velocities: Sequence[float] = ()
    position_margins: Sequence[float] = ()
    velocity_margins: Sequence[float] = ()
    command_age_s: float = float("nan")
    joint_state_age_s: float = float("nan")
    frame_age_s: float = float("nan")
    accepted: int = 0
    rejected: int = 0
    limited: int = 0


@dataclass(frozen=True)
class PlanSummary:
    """One vla/latent_plan without its latent.

    waypoints: (n, 3) m, base, nearest first. stamp_ns: of the frames. Other fields as in LatentPlan.msg.
    """

    state: str
    instruction: str
    instruction_id: int = 0
    subtask: str = ""
    reasoning: str = ""
    progress: float = float("nan")
    confidence: float = float("nan")
    policy: str = ""
    stamp_ns: int = 0
    valid_for_s: float = 0.0
    inference_s: float = 0.0
    waypoints: Array = field(default_factory=lambda: np.zeros((0, 3)))


@dataclass(frozen=True)
class NodeReport:
    """One entry of /diagnostics. level: 0 OK, 1 warning, 2 and above error."""

    name: str
    level: int
    message: str
    values: Mapping[str, str]


def own_node_name(name: str, namespace: str) -> str:
    """Return the name of a node in /diagnostics without its namespace; empty for nodes of other namespaces.

    /diagnostics is shared by all arms. namespace: of this arm, e.g. "/left"; empty: the only arm.
    """
    home = f"{namespace}/"
    inner = name.removeprefix(home)
    return inner if name.startswith(home) and "/" not in inner else ""


@dataclass(frozen=True)
class CameraImage:
    """One camera of vla/frames.

    image: (H, W, 3) rgb. k: (3, 3) pinhole matrix, pixel; None: unknown. health: in words. stamp_ns: when it was taken;
    0: unknown.
    """

    name: str
    frame_id: str
    image: Image
    k: Array | None
    health: str
    stamp_ns: int = 0


@dataclass(frozen=True)
class MarkerShape:
    """Something to draw in the 3D view that was published as a marker.

    key: unique. kind: "box", "sphere", "cylinder", "lines" (pairs of points), "path", "arrow" or "text". position: (3,) m.
    quaternion: xyzw. size: (3,) m. points: (n, 3) m. colour: red, green, blue, opacity, 0..1 each. text: of
    kind "text". until_ns: monotonic end of its lifetime; 0: none.
    """

    key: str
    kind: str
    position: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]
    size: tuple[float, float, float]
    points: tuple[tuple[float, float, float], ...]
    colour: tuple[float, float, float, float]
    text: str = ""
    until_ns: int = 0
