"""What the safety filter publishes to the arm controller."""

from __future__ import annotations

import array
from collections.abc import Callable

from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_ros.ros.qos import NEWEST
from vla_ros.ros.stamps import duration_message
from vla_ros.safety.decision import Decision
from vla_ros.safety.safety_parameters import SafetyFilterParameters


class ControllerOutput:
    """Publishes positions in the form that the arm controller wants."""

    def __init__(self, node: Node, parameters: SafetyFilterParameters) -> None:
        controller = parameters.controller
        names = parameters.joint_names
        self._arm = [i for i, name in enumerate(names) if name != controller.gripper_joint]
        self._gripper = [i for i, name in enumerate(names) if name == controller.gripper_joint]
        self._gripper_publisher: Publisher | None = None
        if self._gripper:
            self._gripper_publisher = node.create_publisher(Float64MultiArray, controller.gripper_topic, NEWEST)
        self._point = JointTrajectoryPoint(time_from_start=duration_message(controller.time_from_start_s))
        self._publish: Callable[[Decision], None]
        if controller.type == "joint_trajectory":
            self._publisher = node.create_publisher(JointTrajectory, controller.topic, NEWEST)
            # The stamp stays zero, which asks the controller to start now, whatever its clock says.
            self._trajectory = JointTrajectory(joint_names=[names[i] for i in self._arm], points=[self._point])
            self._publish = self._publish_trajectory
        else:
            self._publisher = node.create_publisher(Float64MultiArray, controller.topic, NEWEST)
            self._publish = self._publish_positions

    def publish(self, decision: Decision) -> None:
        """Send a decision that has positions."""
        self._publish(decision)
        if self._gripper_publisher is not None:
            self._gripper_publisher.publish(_values(decision, self._gripper))

    def _publish_trajectory(self, decision: Decision) -> None:
        # Positions alone: joint_trajectory_controller refuses a last point that moves, as this only one does.
        positions = decision.positions or ()
        self._point.positions = array.array("d", [positions[i] for i in self._arm])
        self._publisher.publish(self._trajectory)

    def _publish_positions(self, decision: Decision) -> None:
        self._publisher.publish(_values(decision, self._arm))


def _values(decision: Decision, joints: list[int]) -> Float64MultiArray:
    positions = decision.positions or ()
    return Float64MultiArray(data=array.array("d", [positions[i] for i in joints]))
