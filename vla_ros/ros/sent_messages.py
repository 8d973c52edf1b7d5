"""What is published to arm controllers, read by somebody else than the one who wrote it: topics and messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rclpy.serialization import deserialize_message
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from vla_ros.oracle.live.sent_stream import SentMessage
from vla_ros.ros.trajectory_reader import read_trajectory
from vla_ros.safety.controller_parameters import outputs_of
from vla_ros.safety.safety_parameters import SafetyFilterParameters

KINDS: dict[str, type] = {"joint_trajectory": JointTrajectory, "forward_position": Float64MultiArray}
LONGEST_PATH = 10_000
"""Points of a path that are read; the filter sends some tens."""


@dataclass(frozen=True)
class SentTopic:
    """A topic through which joints are moved: its name, its type, and its joints in the order of a Float64MultiArray."""

    topic: str
    kind: type
    joints: tuple[str, ...]


def sent_topics(parameters: SafetyFilterParameters) -> list[SentTopic]:
    """Return the topics of the configured controllers. Of a joint that an action moves only the measurement is judged."""
    names = parameters.joint_names
    return [
        SentTopic(output.name, KINDS[output.type], tuple(names[i] for i in output.joints))
        for output in outputs_of(parameters.controller, names)
        if output.type in KINDS
    ]


def sent_message(data: bytes, kind: type, number: int, sent_ns: int, joints: Sequence[str]) -> SentMessage:
    """Return a message to a controller as the judge takes it.

    Args:
        data: the message as bytes. kind: JointTrajectory or Float64MultiArray.
        number: see `SentMessage`. sent_ns: when it was sent, on the ROS clock.
        joints: in the order that the judge wants.

    Raises:
        ValueError: it has other joints, or its points do not have a position for each.
    """
    if kind is Float64MultiArray:
        message = deserialize_message(data, Float64MultiArray)
        return SentMessage(number, sent_ns, 0, (0,), _rows([message.data], len(joints)))
    read = read_trajectory(data, LONGEST_PATH)
    if sorted(read.names) != sorted(joints):
        raise ValueError(f"it names the joints {', '.join(read.names)!r:.200}, not {', '.join(joints)}")
    if not read.positions:
        raise ValueError("it has no points")
    order = [read.names.index(joint) for joint in joints]
    positions = _rows(read.positions, len(joints))[:, order]
    velocities = _rows(read.velocities, len(joints))[:, order] if all(map(len, read.velocities)) else None
    return SentMessage(number, sent_ns, read.stamp_ns, read.times_ns, positions, velocities)


def _rows(values: Sequence[Sequence[float] | np.ndarray], width: int) -> np.ndarray:
    for row in values:
        if len(row) != width:
            raise ValueError(f"it has {len(row)} values for {width} joints")
    return np.array(values, np.float64)
