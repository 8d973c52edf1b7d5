"""What nodes and commands share of ROS: the life of a node, parameters, quality of service, diagnostics, messages.

rclpy is imported when a name is first used, so that programs that only ask whether ROS is installed can say that it is not.
Where the middleware is not there, the package raises ParameterError, before rclpy ends the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names
from vla_ros.ros.environment import require_middleware

if TYPE_CHECKING:
    from vla_ros.ros.client import Client, Unreachable, connect
    from vla_ros.ros.convert import chunk_message, frames_from, joint_state_from, plan_from, plan_message
    from vla_ros.ros.diagnostics import Diagnostics
    from vla_ros.ros.discovery import unmatched_publishers
    from vla_ros.ros.instruction_relay import instruction_nodes_matched
    from vla_ros.ros.lifecycle import ManagedNode, autostart
    from vla_ros.ros.node import StartRefused, run, steady_timer
    from vla_ros.ros.parameter_declaration import declare_parameters
    from vla_ros.ros.polling import PacedLoop, polled, take
    from vla_ros.ros.robot_description import wait_for_urdf
    from vla_ros.ros.stamps import duration_message, nanoseconds, time_message

require_middleware()

__all__ = [
    "Client",
    "Diagnostics",
    "ManagedNode",
    "PacedLoop",
    "StartRefused",
    "Unreachable",
    "autostart",
    "chunk_message",
    "connect",
    "declare_parameters",
    "duration_message",
    "frames_from",
    "instruction_nodes_matched",
    "joint_state_from",
    "nanoseconds",
    "plan_from",
    "plan_message",
    "polled",
    "run",
    "steady_timer",
    "take",
    "time_message",
    "unmatched_publishers",
    "wait_for_urdf",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "client": (
            "Client",
            "Unreachable",
            "connect",
        ),
        "convert": (
            "chunk_message",
            "frames_from",
            "joint_state_from",
            "plan_from",
            "plan_message",
        ),
        "diagnostics": ("Diagnostics",),
        "discovery": ("unmatched_publishers",),
        "instruction_relay": ("instruction_nodes_matched",),
        "lifecycle": (
            "ManagedNode",
            "autostart",
        ),
        "node": (
            "StartRefused",
            "run",
            "steady_timer",
        ),
        "parameter_declaration": ("declare_parameters",),
        "polling": (
            "PacedLoop",
            "polled",
            "take",
        ),
        "robot_description": ("wait_for_urdf",),
        "stamps": (
            "duration_message",
            "nanoseconds",
            "time_message",
        ),
    },
)
