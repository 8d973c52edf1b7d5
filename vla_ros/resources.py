"""What comes with the package, its files and its version, and the ROS domain of this process."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path

CONFIGURATION_VARIABLE = "VLA_ROS_CONFIGURATION"
"""Environment variable of the nodes: `bringup.placement.configuration` of the graph that they were started from."""


def version() -> str:
    """Return the version of this package; empty where it is not installed."""
    try:
        return installed_version("vla_ros")
    except PackageNotFoundError:
        return ""


def share() -> Path:
    """Return the folder that holds config/: the checkout, or share/vla_ros of an installation."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "config").is_dir():
        return checkout
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory("vla_ros"))


def domain() -> str:
    """Return the ROS domain of this process."""
    return os.environ.get("ROS_DOMAIN_ID", "").strip() or "0"
