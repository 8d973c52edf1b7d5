"""Who publishes joint states on the graph, for `vla-ros doctor`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import rclpy
from rclpy.context import Context

from vla_ros.ros.discovery import publisher_names
from vla_ros.ros.installation import InstallationFinding

DISCOVERY_S = 1.5
JOINT_STATES = "joint_states"
MERGING = "joint_state_publisher"
"""Name of the node, and the beginning of that with a window."""


def joint_state_findings(discovery_s: float = DISCOVERY_S) -> Iterator[InstallationFinding]:
    """Yield one finding for each topic of joint states, in any namespace, on which joint_state_publisher is found.

    Args:
        discovery_s: how long publishers are waited for.
    """
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node("doctor", context=context)
    try:
        time.sleep(discovery_s)
        for topic, _ in node.get_topic_names_and_types():
            names = publisher_names(node, topic) if topic.rsplit("/", 1)[-1] == JOINT_STATES else ()
            merging = [name for name in names if name.rsplit("/", 1)[-1].startswith(MERGING)]
            if merging:
                yield InstallationFinding(
                    "warn",
                    topic,
                    f"{', '.join(merging)} sends a dead driver's last values with new stamps, and zeros for joints not heard",
                    "let each driver publish there itself; the filter merges them",
                )
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)
