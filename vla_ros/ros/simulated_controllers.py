"""Topics of the simulated arm's controllers: those of ros2_control, and no others."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from control_msgs.msg import JointTrajectoryControllerState
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_ros.arrays import Array
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import NEWEST
from vla_ros.ros.stamps import nanoseconds, time_message
from vla_ros.sim.arm_description import FINGER_JOINT, JOINT_NAMES
from vla_ros.sim.controller import ARM, GRIPPER, ControllerTold, SimulatedController
from vla_ros.sim.trajectory_controller import CommandRefused, PointState, TrajectoryCommand
from vla_ros.time import NS_PER_S

TOPICS = {
    f"{ARM}/commands": "std_msgs/msg/Float64MultiArray",
    f"{ARM}/joint_trajectory": "trajectory_msgs/msg/JointTrajectory",
    f"{GRIPPER}/commands": "std_msgs/msg/Float64MultiArray",
    f"{GRIPPER}/joint_trajectory": "trajectory_msgs/msg/JointTrajectory",
}
STATE, SWITCH = "controller_state", "sim/arm_controller_active"
NONE: Array = np.zeros(0)
STATE_TICKS = 5
"""50 Hz: joint_trajectory_controller's `state_publish_rate`."""


class SimulatedControllers:
    """Takes commands, hands them to the simulation at their time, tells the state of trajectory controllers.

    Args:
        node: of the simulated arm.
        controller: it.
        depth: commands that are kept while the node stands still.

    Attributes:
        arriving: commands whose time has not come: (ns of the system clock, message, joints of an array). refused: why the
            newest refused command was refused; empty: none was, since it was emptied.
    """

    def __init__(self, node: Node, controller: SimulatedController, depth: int) -> None:
        self._node, self._controller = node, controller
        arriving = QoSProfile(depth=depth)
        kind, name = (
            (JointTrajectory, "joint_trajectory") if controller.kind == "jtc" else (Float64MultiArray, "commands")
        )
        self.arm_commands = polled(node, kind, f"{ARM}/{name}", arriving)
        self.gripper_commands = polled(node, Float64MultiArray, f"{GRIPPER}/commands", arriving)
        self.gripper_trajectories = polled(node, JointTrajectory, f"{GRIPPER}/joint_trajectory", arriving)
        self.arriving: deque[tuple[int, Any, tuple[str, ...]]] = deque()
        self.refused = ""
        self._states = {
            each: node.create_publisher(JointTrajectoryControllerState, f"{each}/{STATE}", NEWEST)
            for each in ((ARM, GRIPPER) if controller.kind == "jtc" else (GRIPPER,))
        }
        node.create_service(SetBool, SWITCH, self._switch)

    def receive(self) -> None:
        """Take the commands that have arrived; `hand_over` gives them to the controller at their time."""
        arrived: list[tuple[int, Any, tuple[str, ...]]] = []
        for subscription in (self.arm_commands, self.gripper_commands, self.gripper_trajectories):
            names = (FINGER_JOINT,) if subscription is self.gripper_commands else ()
            arrived += [(info.get("source_timestamp", 0), message, names) for message, info in take(subscription)]
        self.arriving.extend(sorted(arrived, key=lambda each: each[0]))

    def hand_over(self, system_ns: int, ros_ns: int) -> None:
        """Give the controller the commands that were sent until now; ros_ns: now on the controller's clock."""
        while self.arriving and self.arriving[0][0] <= system_ns:
            sent_ns, message, names = self.arriving.popleft()
            waited_s = (system_ns - sent_ns) / NS_PER_S if sent_ns else 0.0
            self._controller.waited_s = max(waited_s, self._controller.waited_s)
            try:
                self._command(message, names, ros_ns)
            except CommandRefused as error:
                if str(error) != self.refused:
                    self._node.get_logger().error(f"command refused: {error}")
                self.refused = str(error)

    def publish_states(self, ticks: int, ros_ns: int, v: Array) -> None:
        """In every fifth tick, tell what the trajectory controllers do. v: (8,) measured velocities."""
        if ticks % STATE_TICKS:
            return
        for name, publisher in self._states.items():
            told = self._controller.told(name, v)
            if told is not None:
                publisher.publish(state_message(told, ros_ns))

    def _command(self, message: Any, names: tuple[str, ...], ros_ns: int) -> None:
        if isinstance(message, JointTrajectory):
            self._controller.command_trajectory(trajectory_from(message), message.joint_names, ros_ns)
            return
        whole = len(message.data) == len(JOINT_NAMES)
        self._controller.command(message.data, names or (JOINT_NAMES if whole else JOINT_NAMES[:-1]))

    def _switch(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._controller.switch(ARM, request.data)
        response.success, response.message = True, f"{ARM} is {'active' if request.data else 'inactive'}"
        self._node.get_logger().info(response.message)
        return response


def state_message(told: ControllerTold, ros_ns: int) -> JointTrajectoryControllerState:
    """Return what a controller tells of itself as a message."""
    reference, still = told.reference, np.zeros(len(told.names))
    v = still if reference.v is None else reference.v
    a = still if reference.a is None else reference.a
    message = JointTrajectoryControllerState(
        joint_names=told.names,
        reference=_point(reference.p, v, a),
        feedback=_point(told.p, told.v),
        error=_point(reference.p - told.p, v - told.v),
        output=_point(reference.p),
        speed_scaling_factor=told.scaling,
    )
    message.header.stamp = time_message(ros_ns)
    return message


def _point(p: Array, v: Array = NONE, a: Array = NONE) -> JointTrajectoryPoint:
    return JointTrajectoryPoint(positions=p.tolist(), velocities=v.tolist(), accelerations=a.tolist())


def trajectory_from(message: JointTrajectory) -> TrajectoryCommand:
    """Return a message as the controller takes it.

    Raises:
        CommandRefused: its points hold efforts.
    """
    points = []
    for point in message.points:
        if len(point.effort):
            raise CommandRefused("a trajectory with efforts; a controller of positions takes none")
        values = (np.array(each) if len(each) else None for each in (point.velocities, point.accelerations))
        points.append(PointState(np.array(point.positions), *values))
    times_ns = [nanoseconds(point.time_from_start) for point in message.points]
    return TrajectoryCommand(nanoseconds(message.header.stamp), times_ns, points)
