"""Which ROS 2 is installed, for `vla-ros doctor`. Imports rclpy only when asked, since it may be missing."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vla_ros.ros.environment import environment_problems


@dataclass(frozen=True)
class InstallationFinding:
    """One thing that a machine has or lacks. level: "ok", "warn" or "fail"."""

    level: str
    what: str
    text: str
    remedy: str = ""


def ros_findings() -> Iterator[InstallationFinding]:
    """Yield which ROS 2, which middleware, whether the messages load, and which domain is used."""
    if importlib.util.find_spec("rclpy") is None:
        remedy = "make setup, or source a ROS installation"
        yield InstallationFinding("fail", "ROS 2", "rclpy is not found", remedy)
        return
    import rclpy
    from rclpy.serialization import serialize_message
    from rclpy.utilities import get_rmw_implementation_identifier

    home = Path(rclpy.__file__).resolve()
    kind = "wheels" if Path(sys.prefix) in home.parents else f"installation {os.environ.get('ROS_DISTRO', '')}".strip()
    yield InstallationFinding("ok", "ROS 2", f"{kind}, {home.parent}")
    yield InstallationFinding("ok", "RMW", get_rmw_implementation_identifier())
    try:
        from vla_ros.msg import LatentPlan

        serialize_message(LatentPlan())
        yield InstallationFinding("ok", "messages", "vla_ros.msg can be sent")
    except Exception as error:  # an import error, or a library that does not load
        yield InstallationFinding("fail", "messages", f"vla_ros.msg: {error}", "make setup, or colcon build")
    yield from environment_findings()


def environment_findings() -> Iterator[InstallationFinding]:
    """Yield what nodes would not start with, each as a failure; else which domain is used."""
    failed = False
    for problem in environment_problems():
        failed = True
        yield InstallationFinding("fail", "environment", problem.text, problem.remedy)
    if failed:
        return
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    discovery = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    yield InstallationFinding("ok", "domain", f"ROS_DOMAIN_ID {domain}, discovery {discovery}")
