"""How far is the ROS clock ahead of the monotonic one?"""

from __future__ import annotations

import time

from rclpy.node import Node

from vla_ros.ros.polling import system_ahead_ns
from vla_ros.safety.trajectory import CLOCK_STEP_NS
from vla_ros.time import SimulatedClockOffset

SIMULATED_CLOCK_STEP_NS = 10_000_000
"""A simulated clock arrives in steps, so it is not known to better than some milliseconds."""


class RosClock:
    """The ROS clock beside the monotonic one.

    simulated: whether it is one. step_ns: a clock that is off by more than this from one moment to the next was set.

    Args:
        node: whose clock it is; `use_sim_time` may let it be a simulated one.
    """

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()
        self.simulated = bool(node.get_parameter("use_sim_time").value)
        self._offset = SimulatedClockOffset()
        self._read_ns = self._ahead_ns = 0
        self.step_ns = SIMULATED_CLOCK_STEP_NS if self.simulated else CLOCK_STEP_NS

    def ahead_ns(self) -> int:
        """Return ROS time minus monotonic time, now."""
        if not self.simulated:
            return system_ahead_ns()
        ros_ns, now_ns = self._clock.now().nanoseconds, time.monotonic_ns()
        if ros_ns != self._read_ns:  # a value that is read again is only older
            self._read_ns = ros_ns
            self._ahead_ns = self._offset.ahead_ns(ros_ns, now_ns)
        return self._ahead_ns
