"""ROS in the process of a command: checked first, and its own errors are one line."""

from __future__ import annotations

import rclpy
from rclpy.signals import SignalHandlerOptions

from vla_ros.parameters import ParameterError
from vla_ros.ros.environment import require_environment


def init_command() -> None:
    """Start ROS. Signals stay Python's, so that Ctrl-C is a KeyboardInterrupt.

    Raises:
        ParameterError: ROS does not start; the text says why, and what to do where that is known.
    """
    require_environment()
    try:
        # Without the command line: rcl takes `policy:=compact` of a launch for a rule that renames a topic.
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # rcl's errors are such
        raise ParameterError(f"ROS does not start: {' '.join(str(error).split())}") from None
