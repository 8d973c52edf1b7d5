"""Many DDS participants publish on the policy's topic at once: `python -m vla_ros.ros.dds_flood PARTICIPANTS`."""

from __future__ import annotations

import os
import signal
import sys
import time

import rclpy
from rclpy.context import Context
from rclpy.signals import SignalHandlerOptions

from vla_ros.msg import JointCommand
from vla_ros.ros.qos import EVENTS
from vla_ros.ros.stamps import time_message
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

RATE_HZ = 50


def main() -> None:
    """Publish the home position from every participant until SIGTERM or until the parent process ends."""
    parent = os.getppid()
    stop_signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop_signals.append(number))
    publishers = []
    for i in range(int(sys.argv[1])):
        context = Context()
        rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
        node = rclpy.create_node(f"flood_{os.getpid()}_{i}", context=context)
        publishers.append((context, node, node.create_publisher(JointCommand, "vla/joint_command", EVENTS)))
    seq = 0
    while not stop_signals and os.getppid() == parent:
        seq += 1
        message = JointCommand(seq=seq, source="policy", joint_names=JOINT_NAMES, positions=HOME.tolist())
        message.header.stamp = time_message(time.time_ns())
        for _, _, publisher in publishers:
            publisher.publish(message)
        time.sleep(1 / RATE_HZ)
    # The middleware notices a killed participant only when its lease ends, many seconds later.
    for context, node, _ in publishers:
        node.destroy_node()
        rclpy.shutdown(context=context)


if __name__ == "__main__":
    main()
