"""Quality of service: one profile for each kind of topic. docs/architecture.md lists which topic has which."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

NEWEST = QoSProfile(depth=1)
"""Reliable; only the newest message counts: plans, chunks, instructions, commands to the controller."""
EVENTS = QoSProfile(depth=10)
"""Reliable; each message counts: setpoints, statuses, diagnostics."""
TRAJECTORIES = QoSProfile(depth=100)
"""Reliable; none of the trajectories to a controller is left out while it is slow to read: each changes what it executes."""
SENSOR = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Best effort, as drivers publish joint states."""
IMAGE = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Best effort, the newest only: images and /clock."""
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Reliable, and kept for subscribers that come later: robot_description, questions."""


def qos_compatible(offered: QoSProfile, requested: QoSProfile) -> bool:
    """Whether DDS matches a publisher that offers the one profile with a subscription that requests the other."""
    reliable = requested.reliability != ReliabilityPolicy.RELIABLE or offered.reliability == ReliabilityPolicy.RELIABLE
    durable = requested.durability != DurabilityPolicy.TRANSIENT_LOCAL or offered.durability == requested.durability
    return bool(reliable and durable)
