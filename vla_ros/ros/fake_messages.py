"""Messages and a clock that stand for a policy, a driver or an obstacle feed in tests on the running graph."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from visualization_msgs.msg import Marker

from vla_ros.msg import JointCommand
from vla_ros.ros.markers import MOVING
from vla_ros.ros.qos import IMAGE
from vla_ros.ros.stamps import time_message
from vla_ros.time import NS_PER_S

MARKER_TYPES = {"box": Marker.CUBE, "sphere": Marker.SPHERE, "capsule": Marker.CYLINDER}
CLOCK_PERIOD_S = 0.004
CLOCK_START_NS = 100_000_000_000


class SetpointFields(Protocol):
    """What a JointCommand message is made of. positions: rad or m, in the order of names."""

    @property
    def seq(self) -> int: ...
    @property
    def stamp_ns(self) -> int: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def positions(self) -> Sequence[float]: ...
    @property
    def source(self) -> str: ...


class JointStateFields(Protocol):
    """What a JointState message is made of, in the order of names: rad or m, rad/s or m/s, N m or N."""

    @property
    def names(self) -> Sequence[str]: ...
    @property
    def positions(self) -> Sequence[float]: ...
    @property
    def velocities(self) -> Sequence[float]: ...
    @property
    def efforts(self) -> Sequence[float]: ...


class StampedJointState(JointStateFields, Protocol):
    """The same with the driver's stamp, ns; None: when it is sent."""

    @property
    def stamp_ns(self) -> int | None: ...


class ObstacleFields(Protocol):
    """What a Marker message is made of.

    shape: "box" (size: sides), "sphere" (radius) or "capsule" (radius, length of the straight part), m. xyz: centre in
    `frame`, m. quaternion: x y z w. kind: "human", or empty. velocity: m/s; None: it is not told.
    """

    @property
    def id(self) -> str: ...
    @property
    def frame(self) -> str: ...
    @property
    def shape(self) -> str: ...
    @property
    def size(self) -> tuple[float, ...]: ...
    @property
    def xyz(self) -> tuple[float, float, float]: ...
    @property
    def quaternion(self) -> tuple[float, float, float, float]: ...
    @property
    def kind(self) -> str: ...
    @property
    def velocity(self) -> tuple[float, float, float] | None: ...


class SimulatedClock:
    """Publishes /clock from a thread of its own, at the speed of the system clock.

    Args:
        node: publishes.
    """

    def __init__(self, node: Node) -> None:
        self._publisher = node.create_publisher(Clock, "/clock", IMAGE)
        self._offset_ns = CLOCK_START_NS - time.time_ns()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(CLOCK_PERIOD_S):
            self._publisher.publish(Clock(clock=time_message(self.now_ns())))

    def now_ns(self) -> int:
        """Return the simulated time, ns."""
        return time.time_ns() + self._offset_ns

    def step(self, seconds: float) -> None:
        """Set the clock forward, or back where `seconds` is negative."""
        self._offset_ns += round(seconds * NS_PER_S)

    def close(self) -> None:
        """Stop publishing."""
        self._closed.set()
        self._thread.join()


def setpoint_message(setpoint: SetpointFields) -> JointCommand:
    """Return the message that a policy or an operator's device sends."""
    message = JointCommand(
        seq=setpoint.seq, source=setpoint.source, joint_names=setpoint.names, positions=setpoint.positions
    )
    message.header.stamp = time_message(setpoint.stamp_ns)
    return message


def joint_state_message(state: JointStateFields, stamp_ns: int) -> JointState:
    """Return the message that an arm's driver sends."""
    message = JointState(name=state.names, position=state.positions, velocity=state.velocities, effort=state.efforts)
    message.header.stamp = time_message(stamp_ns)
    return message


def obstacle_marker(obstacle: ObstacleFields) -> Marker:
    """Return the marker that an obstacle feed sends."""
    marker = Marker(ns=obstacle.id, type=MARKER_TYPES[obstacle.shape])
    marker.header.frame_id = obstacle.frame
    if obstacle.velocity is not None:
        marker.text = " ".join([obstacle.kind or MOVING, *map(str, obstacle.velocity)])
    else:
        marker.text = obstacle.kind
    size = obstacle.size
    if obstacle.shape == "sphere":
        size = (2 * size[0],) * 3
    elif obstacle.shape == "capsule":
        size = (2 * size[0], 2 * size[0], size[1])
    marker.scale.x, marker.scale.y, marker.scale.z = size
    centre, turn = marker.pose.position, marker.pose.orientation
    centre.x, centre.y, centre.z = obstacle.xyz
    turn.x, turn.y, turn.z, turn.w = obstacle.quaternion
    return marker
