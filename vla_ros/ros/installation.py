"""What ROS is installed, for `vla-ros doctor`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import rclpy
from rclpy.serialization import serialize_message
from rclpy.utilities import get_rmw_implementation_identifier

from vla_ros.cli.doctor import Finding


def findings() -> Iterator[Finding]:
    """Which ROS 2, which middleware, whether the messages load, and who is heard."""
    home = Path(rclpy.__file__).resolve()
    kind = "wheels" if Path(sys.prefix) in home.parents else f"installation {os.environ.get('ROS_DISTRO', '')}".strip()
    yield Finding("ok", "ROS 2", f"{kind}, {home.parent}")
    yield Finding("ok", "RMW", get_rmw_implementation_identifier())
    try:
        from vla_ros.msg import LatentPlan

        serialize_message(LatentPlan())
        yield Finding("ok", "messages", "vla_ros.msg can be sent")
    except Exception as error:  # an import error, or a library that does not load
        yield Finding("fail", "messages", f"vla_ros.msg: {error}", "make setup, or colcon build")
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    yield Finding("ok", "domain", f"ROS_DOMAIN_ID {domain}, discovery {reach}")
