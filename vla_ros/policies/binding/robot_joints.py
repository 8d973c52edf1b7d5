"""What a binding asks of a robot's joints: which turn and which slide, their limits, and where they bring the tool."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.policies.registry import Robot
from vla_ros.robot.kinematics import Kinematics
from vla_ros.robot.robot_model import library_line
from vla_ros.robot.urdf import urdf_joints, urdf_root


class RobotJoints:
    """The joints of a robot, with its kinematics.

    Attributes:
        names: order of q.
        prismatic: (n,) whether a joint slides: no unit of angles applies to it.
        kinematics: of the chain to the tool.
        lower, upper: (n,) position limits, rad or m.
        velocity: (n,) rad/s or m/s.

    Raises:
        ParameterError: the text is no URDF, or lacks a joint or the tool frame.
    """

    def __init__(self, robot: Robot) -> None:
        self.names = robot.joint_names
        try:
            self.kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
            types = {name: joint.get("type") for name, joint in urdf_joints(urdf_root(robot.urdf)).items()}
        except ParameterError:
            raise
        except Exception as error:  # pinocchio has errors of its own for what is no URDF
            raise ParameterError(f"robot_description: {library_line(error)}") from None
        self.prismatic: NDArray[np.bool_] = np.array([types.get(name) == "prismatic" for name in self.names])
        self.lower, self.upper = self.kinematics.lower, self.kinematics.upper
        self.velocity: Array = self.kinematics.velocity
