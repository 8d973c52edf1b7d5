"""What the dashboard is told: the parts of messages that people want to see, without ROS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FilterStatus:
    """One vla/safety_status. Fields as in SafetyStatus.msg."""

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
class PlanWords:
    """One vla/latent_plan without its latent. waypoints: (n, 3) m in base, nearest first. stamp_ns: of the frames."""

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
    waypoints: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))


@dataclass(frozen=True)
class NodeReport:
    """One entry of /diagnostics. level: 0 good, 1 warning, 2 and above error."""

    name: str
    level: int
    message: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class CameraImage:
    """One camera of vla/frames.

    image: (height, width, 3) uint8 rgb. k: (3, 3) pixel, or None. health: in words. stamp_ns: when it was taken; 0: unknown.
    """

    name: str
    frame_id: str
    image: NDArray[np.uint8]
    k: NDArray[np.float64] | None
    health: str
    stamp_ns: int = 0


@dataclass(frozen=True)
class Shape:
    """Something to draw that was published as a marker.

    key: unique. kind: "box", "sphere", "cylinder", "lines" (pairs of points), "path", "arrow" or "text". position: (3,) m.
    quaternion: xyzw. size: (3,) m. points: (n, 3) m. colour: red, green, blue, opacity, 0..1 each. text: what it says.
    until_ns: monotonic end of its life; 0: none.
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
