"""System 1 of the policy `lerobot`: it plays the rows that the model has predicted, and knows no weights."""

from __future__ import annotations

from vla_ros.policies.action_player import ActionPlayer
from vla_ros.policies.lerobot_parameters import LeRobotParameters
from vla_ros.policies.registry import Robot, parameters_hash
from vla_ros.policies.transition import Transition
from vla_ros.robot.kinematics import Kinematics


class LeRobotSystem1(ActionPlayer):
    """Leads the arm onto the newest chunk and along it.

    Args:
        robot: the arm.
        parameters: the same as System 2's.

    Raises:
        ParameterError: the limits of `motion` are for another number of joints.
    """

    def __init__(self, robot: Robot, parameters: LeRobotParameters) -> None:
        kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        super().__init__(parameters_hash("lerobot", robot, parameters), Transition.of(parameters.motion, kinematics))
