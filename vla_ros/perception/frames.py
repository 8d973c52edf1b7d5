"""Images of all cameras at one moment, with what is known of each camera: what System 2 is given to see."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from vla_ros.arrays import Array, Depth, Image


class CameraHealth(enum.IntEnum):
    """Values of `CameraFrames.health`."""

    OK = 0
    MISSING = 1
    STALE = 2
    FROZEN = 3
    DARK = 4
    WRONG_SIZE = 5
    WRONG_ENCODING = 6

    @property
    def words(self) -> str:
        """In words, e.g. "wrong size"."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class CameraView:
    """One camera's part of a set of frames.

    Attributes:
        image: (H, W, 3) uint8 rgb.
        health: OK, or why the image is not to be used.
        k: (3, 3) pinhole matrix of that image, pixel; None without CameraInfo.
        depth: (H, W) float32, m along the optical axis, NaN where unknown; None without depth.
        T_base_camera: (4, 4) pose of the optical frame (x right, y down, z forward) in the base frame when the image was
            taken; None where it is unknown.
        pose_problem: why it is unknown; empty: it is known, or nobody has looked.
        stamp_ns: when the image was taken, ROS time, ns; 0: not known.
        frame_id: of the optical frame, as the driver names it; empty: it does not.
    """

    image: Image
    health: CameraHealth = CameraHealth.OK
    k: Array | None = None
    depth: Depth | None = None
    T_base_camera: Array | None = None
    pose_problem: str = ""
    stamp_ns: int = 0
    frame_id: str = ""

    @property
    def fault(self) -> str:
        """Why the image is not to be used, in words; empty: it is."""
        return "" if self.health is CameraHealth.OK else self.health.words

    @property
    def pose_fault(self) -> str:
        """Why no point of the image can be placed in the base frame, in words; empty: it can."""
        if self.fault or (self.k is not None and self.T_base_camera is not None):
            return self.fault
        if self.k is None:
            return "its CameraInfo is not known"
        return "its pose is not known" + (f": {self.pose_problem}" if self.pose_problem else "")


@dataclass(frozen=True)
class Frames:
    """What `vla/frames` carries.

    Attributes:
        stamp_ns: capture time of the oldest usable image in the set, ROS time, ns.
        views: camera name → its part.
    """

    stamp_ns: int
    views: Mapping[str, CameraView]
