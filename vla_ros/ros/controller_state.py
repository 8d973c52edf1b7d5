"""What joint_trajectory_controllers say of themselves, handed to the filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from control_msgs.msg import JointTrajectoryControllerState
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from vla_ros.ros.bounded_input import BoundedInput
from vla_ros.ros.discovery import publisher_names
from vla_ros.ros.qos import SENSOR
from vla_ros.ros.trajectory_reader import ReadControllerState, read_controller_state
from vla_ros.safety.controller_parameters import Output

MOST_JOINTS = 64
LONGEST = 32_768
"""Bytes of a state."""


class ControllerStates:
    """Polls <controller>/controller_state of each controller that has one.

    Args:
        node: that listens.
        outputs: the controllers.
    """

    def __init__(self, node: Node, outputs: Sequence[Output]) -> None:
        topics = dict.fromkeys(output.state_topic for output in outputs if output.state_topic)
        self._node = node
        self._inputs = {
            topic: BoundedInput(node, JointTrajectoryControllerState, topic, SENSOR, LONGEST, decode=_read)
            for topic in topics
        }

    def publishers(self) -> list[str]:
        """Return who publishes the state of one controller: of that which has the most publishers."""
        return max((publisher_names(self._node, topic) for topic in self._inputs), key=len, default=[])

    def newest(self) -> Iterator[tuple[str, list[str], list[float], list[float], float]]:
        """Yield topic, joint names, reference, error (rad or m per joint) and speed scaling of each that has come."""
        for topic, states in self._inputs.items():
            newest = None
            for message, _ in states.take():
                newest = message or newest
            if newest is not None:
                names = newest.names[: MOST_JOINTS + 1]
                values = (each[: len(names)].tolist() for each in (newest.reference, newest.error))
                yield topic, names, *values, newest.speed_scaling


def _read(data: bytes) -> ReadControllerState:
    try:
        return read_controller_state(data)
    except ValueError:  # a rare form of the message
        whole = deserialize_message(data, JointTrajectoryControllerState)
        reference, error = (np.array(each.positions) for each in (whole.reference, whole.error))
        return ReadControllerState(list(whole.joint_names), reference, error, whole.speed_scaling_factor)
