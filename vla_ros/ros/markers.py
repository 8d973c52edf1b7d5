"""Obstacles as markers, and what the filter keeps the arm away from, drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from numpy.typing import NDArray
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from vla_ros.ros.node import duration_message, nanoseconds, time_message
from vla_ros.safety.geometry.clearance import NearestPair
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import transform
from vla_ros.transforms import pose

Array = NDArray[np.float64]
Colour = tuple[float, float, float, float]

LIFETIME_S = 1.0
"""Longer than the time between two messages: what is not drawn again goes."""
EDGES = [(i, i ^ bit) for i in range(8) for bit in (1, 2, 4) if not i & bit]
SHEET_M, TEXT_M = 2.0, 1.2
CALM = ("DISARMED", "HOLDING", "TRACKING")
PALE, GREY = (0.2, 0.75, 0.4, 0.12), (0.5, 0.5, 0.5, 0.25)
GREEN, RED, AMBER, BLUE = (0.2, 0.75, 0.4, 0.8), (0.9, 0.2, 0.15, 0.35), (0.95, 0.65, 0.1, 1.0), (0.25, 0.5, 0.9, 0.35)


AHEAD_NS = 100_000_000
"""A stamp further in the future is of another clock: how old what it says is, is not known."""


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
        shape, size = f"marker type {marker.type}", (marker.scale.x, marker.scale.y, marker.scale.z)
        ahead_ns = nanoseconds(marker.header.stamp) - ros_ns
        if marker.action != Marker.ADD:
            shape = f"marker action {marker.action}"
        elif ahead_ns > AHEAD_NS:
            shape = f"marker stamped {ahead_ns / 1e9:.1f} s ahead"
        elif marker.type == Marker.CUBE:
            shape = "box"
        elif marker.type == Marker.SPHERE:
            shape, size = "sphere", (_largest(*size) / 2,)
        elif marker.type == Marker.CYLINDER:  # the capsule around it
            shape, size = "capsule", (_largest(*size[:2]) / 2, size[2])
        at, turn = marker.pose.position, marker.pose.orientation
        obstacles.append(
            Obstacle(
                id=f"{marker.ns}/{marker.id}" if marker.ns else str(marker.id),
                frame=marker.header.frame_id,
                shape=shape,
                size=size,
                xyz=(at.x, at.y, at.z),
                quaternion=(turn.x, turn.y, turn.z, turn.w),
            )
        )
    return obstacles


def age_ns(message: MarkerArray, ros_ns: int) -> int:
    """How old the oldest of the markers is by its stamp; one without a stamp is as new as its message."""
    stamps = (nanoseconds(marker.header.stamp) for marker in message.markers)
    return max((ros_ns - stamp for stamp in stamps if 0 < stamp < ros_ns), default=0)


def _largest(*sides: float) -> float:
    """The largest; NaN when one is not finite, so that the filter refuses it: `max` passes over a NaN and over -inf."""
    return max(sides) if all(map(math.isfinite, sides)) else math.nan


def root_link(urdf: str) -> str:
    """Name of the link that hangs on no joint, in whose frame the filter places everything."""
    robot = ElementTree.fromstring(urdf)
    children = {child.get("link") for child in robot.iterfind("joint/child")}
    named = (str(link.get("name")) for link in robot.iterfind("link") if link.get("name") not in children)
    return next(named, "base")  # of joints alone, which do for limits


class Drawing:
    """What `safety_filter` publishes on vla/safety_markers: fence, table, keep-out boxes, obstacles, the nearest pair of
    bodies, and what the filter does.

    Args: parameters: of the filter; what never changes is drawn once. frame_id: root link of the arm.
    """

    def __init__(self, parameters: SafetyFilterParameters, frame_id: str) -> None:
        self._frame_id = frame_id
        self._still = list(self._draw_still(parameters))

    def message(
        self, ros_ns: int, shown: Sequence[Obstacle], nearest: NearestPair | None, what: str, doing: str
    ) -> MarkerArray:
        """Draw the present. what: the nearest pair, for people. doing: state and rule, for people."""
        said = self._marker("filter", 0, Marker.TEXT_VIEW_FACING, GREEN if doing in CALM else AMBER)
        said.scale.z, said.text, said.pose.position = 0.04, doing, Point(z=TEXT_M)
        markers = [*self._still, said]
        for i, obstacle in enumerate(shown):
            types = {"box": Marker.CUBE, "sphere": Marker.SPHERE, "capsule": Marker.CYLINDER}
            x, y, z = (obstacle.size * 3)[:3] if obstacle.shape == "box" else (2 * obstacle.size[0],) * 3
            if obstacle.shape == "capsule":
                z = obstacle.size[1]
            at, turn = obstacle.xyz, obstacle.quaternion
            markers.append(self._solid("obstacles", i, types[obstacle.shape], (x, y, z), at, turn, BLUE))
        if nearest is not None:
            ends = [Point(x=p[0], y=p[1], z=p[2]) for p in (point.tolist() for point in nearest.points)]
            colour = GREEN if nearest.distance_m > nearest.pair.margin_m + nearest.pair.slow_m else AMBER
            line = self._marker("nearest", 0, Marker.LINE_LIST, colour)
            line.scale.x, line.points = 0.006, ends
            text = self._marker("nearest", 1, Marker.TEXT_VIEW_FACING, colour)
            text.scale.z, text.text, text.pose.position = 0.03, f"{what}: {nearest.distance_m * 1e3:.0f} mm", ends[0]
            markers += [line, text]
        stamp = time_message(ros_ns)
        for marker in markers:
            marker.header.stamp = stamp
        return MarkerArray(markers=markers)

    def _draw_still(self, parameters: SafetyFilterParameters) -> Iterator[Marker]:
        if parameters.fence.box:
            box = parameters.fence.box
            corners = [
                Point(x=box[0 if i & 1 else 3], y=box[1 if i & 2 else 4], z=box[2 if i & 4 else 5]) for i in range(8)
            ]
            fence = self._marker("fence", 0, Marker.LINE_LIST, GREEN)
            fence.scale.x = 0.004
            fence.points = [corners[i] for edge in EDGES for i in edge]
            yield fence
        planes = parameters.fence.planes
        for i in range(0, len(planes), 4):
            normal = np.array(planes[i : i + 3]) / np.linalg.norm(planes[i : i + 3])
            offset = planes[i + 3] / float(np.linalg.norm(planes[i : i + 3]))
            yield self._sheet("fence", 1 + i // 4, normal, offset, PALE)
        for height in parameters.table.height_m:
            yield self._sheet("table", 0, np.array([0.0, 0.0, 1.0]), height, GREY)
        boxes = parameters.keep_out.boxes
        for i in range(0, len(boxes), 9):
            centre, size, rpy = (tuple(boxes[i + k : i + k + 3]) for k in (0, 3, 6))
            turn = pose(transform(centre, rpy)).tolist()[3:]
            yield self._solid("keep_out", i // 9, Marker.CUBE, size, centre, turn, RED)

    def _sheet(self, namespace: str, index: int, normal: Array, offset: float, colour: Colour) -> Marker:
        """The plane normal.x = offset as a thin sheet; normal: (3,) unit."""
        turn = np.array(
            [-normal[1], normal[0], 0.0, 1.0 + normal[2]]
        )  # of z to the normal; half a turn about x at worst
        turn = turn / np.linalg.norm(turn) if np.linalg.norm(turn) > 1e-9 else np.array([1.0, 0.0, 0.0, 0.0])
        size = (SHEET_M, SHEET_M, 0.001)
        return self._solid(namespace, index, Marker.CUBE, size, (offset * normal).tolist(), turn.tolist(), colour)

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
