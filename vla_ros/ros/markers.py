"""Markers as obstacles, and what the filter keeps the arm away from as markers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from vla_ros.arrays import Array
from vla_ros.robot.urdf import urdf_root
from vla_ros.ros.stamps import duration_message, nanoseconds, time_message
from vla_ros.safety.geometry.clearance import NearestPair
from vla_ros.safety.geometry.obstacle_shape import HUMAN, Obstacle
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.time import NS_PER_S
from vla_ros.transforms import quaternion_from_rpy, quaternion_from_z_axis

Colour = tuple[float, float, float, float]

LIFETIME_S = 1.0
"""Longer than the time between two messages: a marker that is not published again disappears."""
BOX_EDGES = [(i, i ^ bit) for i in range(8) for bit in (1, 2, 4) if not i & bit]
"""Pairs of corners; bit k of a corner's number: which end of axis k."""
PLANE_SIZE_M, TEXT_HEIGHT_M = 2.0, 1.2
NORMAL_STATES = ("DISARMED", "HOLDING", "TRACKING")
PALE, GREY = (0.2, 0.75, 0.4, 0.12), (0.5, 0.5, 0.5, 0.25)
GREEN, RED, AMBER, BLUE = (0.2, 0.75, 0.4, 0.8), (0.9, 0.2, 0.15, 0.35), (0.95, 0.65, 0.1, 1.0), (0.25, 0.5, 0.9, 0.35)
MAX_STAMP_AHEAD_NS = 100_000_000
"""A stamp further in the future comes from another clock: the age of what it stamps is unknown."""
MOVING = "moving"
"""First word of the text of a marker that moves and is no human."""
MARKER_TYPES = {"box": Marker.CUBE, "sphere": Marker.SPHERE, "capsule": Marker.CYLINDER}
"""Shape of an obstacle → type of its marker."""


def obstacles_from(message: MarkerArray, ros_ns: int) -> list[Obstacle]:
    """Read markers as obstacles; a marker that cannot be one becomes an obstacle that the filter refuses by its name.

    Args:
        message: the complete list; a marker that is to be deleted is none.
        ros_ns: ROS time now.
    """
    obstacles = []
    for marker in message.markers:
        if marker.action in (Marker.DELETE, Marker.DELETEALL):
            continue
        shape = f"marker type {marker.type}"
        size: tuple[float, ...] = (marker.scale.x, marker.scale.y, marker.scale.z)
        ahead_ns = nanoseconds(marker.header.stamp) - ros_ns
        if marker.action != Marker.ADD:
            shape = f"marker action {marker.action}"
        elif ahead_ns > MAX_STAMP_AHEAD_NS:
            shape = f"marker stamped {ahead_ns / NS_PER_S:.1f} s ahead"
        elif marker.type == Marker.CUBE:
            shape = "box"
        elif marker.type == Marker.SPHERE:
            shape, size = "sphere", (_largest(*size) / 2,)
        elif marker.type == Marker.CYLINDER:  # the capsule around it
            shape, size = "capsule", (_largest(*size[:2]) / 2, size[2])
        kind, velocity = class_and_velocity(marker.ns, marker.text)
        position, orientation = marker.pose.position, marker.pose.orientation
        obstacles.append(
            Obstacle(
                id=f"{marker.ns}/{marker.id}" if marker.ns else str(marker.id),
                frame=marker.header.frame_id,
                shape=shape,
                size=size,
                xyz=(position.x, position.y, position.z),
                quaternion=(orientation.x, orientation.y, orientation.z, orientation.w),
                kind=kind,
                velocity=velocity,
            )
        )
    return obstacles


def unreadable_list(size: int, frame: str) -> Obstacle:
    """Return what stands for a list of `size` bytes that was too long to be read: the filter refuses it, by its name."""
    return Obstacle(f"all of a list of {size} bytes", frame, "too long to be read", (), (math.nan, math.nan, math.nan))


def class_and_velocity(namespace: str, text: str) -> tuple[str, tuple[float, float, float] | None]:
    """Return the class of an obstacle and its velocity, m/s; None: it is not told.

    Args:
        namespace: of the marker; "human", or what begins with "human/", makes a human of it.
        text: of the marker: "human", "human vx vy vz" or "moving vx vy vz", m/s in the marker's frame. Any other text is a
            label. A velocity that cannot be read is NaN, so that the filter refuses the obstacle by its name.
    """
    words = text.split()
    word = words[0] if words else ""
    kind = HUMAN if HUMAN in (word, namespace.split("/", maxsplit=1)[0]) else ""
    if word not in (HUMAN, MOVING) or (word == HUMAN and len(words) == 1):
        return kind, None
    try:
        x, y, z = map(float, words[1:])
    except ValueError:
        x = y = z = math.nan
    return kind, (x, y, z)


def oldest_stamp_age_ns(message: MarkerArray, ros_ns: int) -> int:
    """Return the age of the oldest marker by its stamp, ns; one without a stamp is as new as its message."""
    stamps = (nanoseconds(marker.header.stamp) for marker in message.markers)
    return max((ros_ns - stamp for stamp in stamps if 0 < stamp < ros_ns), default=0)


def _largest(*sides: float) -> float:
    """Return the largest; NaN when one is not finite, so that the filter refuses it: `max` ignores a NaN and -inf."""
    return max(sides) if all(map(math.isfinite, sides)) else math.nan


def root_link(urdf: str) -> str:
    """Return the name of the URDF's root link, in whose frame the filter computes positions."""
    robot = urdf_root(urdf)
    children = {child.get("link") for child in robot.iterfind("joint/child")}
    named = (str(link.get("name")) for link in robot.iterfind("link") if link.get("name") not in children)
    return next(named, "base")  # a URDF of joints alone, which is enough for limits


class SafetyMarkers:
    """Makes what `safety_filter` publishes on vla/safety_markers: fence, table, keep-out boxes, obstacles, the nearest pair
    of bodies, state and active rule.

    Args:
        parameters: of the filter; what never changes is made once.
        frame_id: root link of the arm.
    """

    def __init__(self, parameters: SafetyFilterParameters, frame_id: str) -> None:
        self._frame_id = frame_id
        self._static_markers = list(self._make_static_markers(parameters))

    def message(
        self, ros_ns: int, obstacles: Sequence[Obstacle], nearest: NearestPair | None, pair_text: str, state_text: str
    ) -> MarkerArray:
        """Return all markers of now.

        Args:
            ros_ns: ROS time now.
            obstacles: those that the filter keeps clear of.
            nearest: the pair of bodies with the least distance; None when there is none.
            pair_text: names of that pair, for people.
            state_text: the filter's state and rule, for people.
        """
        state = self._marker("filter", 0, Marker.TEXT_VIEW_FACING, GREEN if state_text in NORMAL_STATES else AMBER)
        state.scale.z, state.text, state.pose.position = 0.04, state_text, Point(z=TEXT_HEIGHT_M)
        markers = [*self._static_markers, state]
        for i, obstacle in enumerate(obstacles):
            x, y, z = (obstacle.size * 3)[:3] if obstacle.shape == "box" else (2 * obstacle.size[0],) * 3
            if obstacle.shape == "capsule":
                z = obstacle.size[1]
            kind, xyz, quaternion = MARKER_TYPES[obstacle.shape], obstacle.xyz, obstacle.quaternion
            markers.append(self._solid("obstacles", i, kind, (x, y, z), xyz, quaternion, BLUE))
        if nearest is not None:
            ends = [Point(x=p[0], y=p[1], z=p[2]) for p in (point.tolist() for point in nearest.points)]
            colour = GREEN if nearest.distance_m > nearest.pair.margin_m + nearest.pair.slow_m else AMBER
            line = self._marker("nearest", 0, Marker.LINE_LIST, colour)
            line.scale.x, line.points = 0.006, ends
            text = self._marker("nearest", 1, Marker.TEXT_VIEW_FACING, colour)
            text.scale.z, text.text, text.pose.position = (
                0.03,
                f"{pair_text}: {nearest.distance_m * 1e3:.0f} mm",
                ends[0],
            )
            markers += [line, text]
        stamp = time_message(ros_ns)
        for marker in markers:
            marker.header.stamp = stamp
        return MarkerArray(markers=markers)

    def _make_static_markers(self, parameters: SafetyFilterParameters) -> Iterator[Marker]:
        if parameters.fence.box:
            box = parameters.fence.box
            corners = [
                Point(x=box[0 if i & 1 else 3], y=box[1 if i & 2 else 4], z=box[2 if i & 4 else 5]) for i in range(8)
            ]
            fence = self._marker("fence", 0, Marker.LINE_LIST, GREEN)
            fence.scale.x = 0.004
            fence.points = [corners[i] for edge in BOX_EDGES for i in edge]
            yield fence
        planes = parameters.fence.planes
        for i in range(0, len(planes), 4):
            normal = np.array(planes[i : i + 3]) / np.linalg.norm(planes[i : i + 3])
            offset = planes[i + 3] / float(np.linalg.norm(planes[i : i + 3]))
            yield self._plane("fence", 1 + i // 4, normal, offset, PALE)
        for height in parameters.table.height_m:
            yield self._plane("table", 0, np.array([0.0, 0.0, 1.0]), height, GREY)
        boxes = parameters.keep_out.boxes
        for i in range(0, len(boxes), 9):
            centre, size, rpy = (tuple(boxes[i + k : i + k + 3]) for k in (0, 3, 6))
            yield self._solid("keep_out", i // 9, Marker.CUBE, size, centre, quaternion_from_rpy(*rpy).tolist(), RED)

    def _plane(self, namespace: str, index: int, normal: Array, offset: float, colour: Colour) -> Marker:
        """Return the plane {p: normal · p = offset} as a thin sheet; normal: (3,) unit; offset: m."""
        quaternion = quaternion_from_z_axis(normal).tolist()
        size = (PLANE_SIZE_M, PLANE_SIZE_M, 0.001)
        return self._solid(namespace, index, Marker.CUBE, size, (offset * normal).tolist(), quaternion, colour)

    def _solid(
        self,
        namespace: str,
        index: int,
        kind: int,
        size: Sequence[float],
        xyz: Sequence[float],
        quaternion: Sequence[float],
        colour: Colour,
    ) -> Marker:
        marker = self._marker(namespace, index, kind, colour)
        marker.scale = Vector3(x=size[0], y=size[1], z=size[2])
        x, y, z, w = quaternion
        marker.pose = Pose(position=Point(x=xyz[0], y=xyz[1], z=xyz[2]), orientation=Quaternion(x=x, y=y, z=z, w=w))
        return marker

    def _marker(self, namespace: str, index: int, kind: int, colour: Colour) -> Marker:
        r, g, b, a = colour
        marker = Marker(ns=namespace, id=index, type=kind, color=ColorRGBA(r=r, g=g, b=b, a=a))
        marker.header.frame_id = self._frame_id
        marker.lifetime = duration_message(LIFETIME_S)
        marker.pose.orientation.w = 1.0
        return marker
