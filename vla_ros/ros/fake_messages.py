"""The messages and the clock that the rig of the fault campaign feigns."""

from __future__ import annotations

import threading
import time

from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from visualization_msgs.msg import Marker

from vla_ros.lab.faults.stream import Measured, Setpoint
from vla_ros.msg import JointCommand
from vla_ros.ros.node import IMAGE, time_message
from vla_ros.safety.geometry.obstacle_shape import Obstacle

MARKERS = {"box": Marker.CUBE, "sphere": Marker.SPHERE, "capsule": Marker.CYLINDER}
CLOCK_PERIOD_S = 0.004
CLOCK_START_NS = 100_000_000_000


class SimulatedClock:
    """Publishes /clock from a thread of its own; it goes as fast as the system's. Args: node: publishes."""

    def __init__(self, node: Node) -> None:
        self._publisher = node.create_publisher(Clock, "/clock", IMAGE)
        self._offset_ns = CLOCK_START_NS - time.time_ns()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(CLOCK_PERIOD_S):
            self._publisher.publish(Clock(clock=time_message(self.now_ns())))

    def now_ns(self) -> int:
        """What it shows."""
        return time.time_ns() + self._offset_ns

    def step(self, seconds: float) -> None:
        """Set it forward, or back."""
        self._offset_ns += round(seconds * 1e9)

    def close(self) -> None:
        """End it."""
        self._ended.set()
        self._thread.join()


def setpoint_message(setpoint: Setpoint) -> JointCommand:
    """As the policy or a human's device sends it."""
    message = JointCommand(
        seq=setpoint.seq, source=setpoint.source, joint_names=setpoint.names, positions=setpoint.positions
    )
    message.header.stamp = time_message(setpoint.stamp_ns)
    return message


def joint_state_message(measured: Measured, stamp_ns: int) -> JointState:
    """As the driver sends it."""
    message = JointState(
        name=measured.names, position=measured.positions, velocity=measured.velocities, effort=measured.efforts
    )
    message.header.stamp = time_message(stamp_ns)
    return message


def marker(obstacle: Obstacle) -> Marker:
    """One obstacle as the feed sends it."""
    marker = Marker(ns=obstacle.id, type=MARKERS[obstacle.shape])
    marker.header.frame_id = obstacle.frame
    size = obstacle.size
    if obstacle.shape == "sphere":
        size = (2 * size[0],) * 3
    elif obstacle.shape == "capsule":
        size = (2 * size[0], 2 * size[0], size[1])
    marker.scale.x, marker.scale.y, marker.scale.z = size
    at, turn = marker.pose.position, marker.pose.orientation
    at.x, at.y, at.z = obstacle.xyz
    turn.x, turn.y, turn.z, turn.w = obstacle.quaternion
    return marker
