"""setuptools as the build backend, told what compiles the messages: see build_interfaces.py."""

from __future__ import annotations

from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  the hooks that are not overridden below

from build_interfaces import ros_wheels


def compile_requirements() -> list[str]:
    """CMake, and what rosidl imports: the wheels name it themselves, an installation has it where pip does not look."""
    return ["catkin-pkg", "cmake", "numpy>=2", "packaging", *(ros_wheels(compiling=True) or ["empy", "lark"])]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    return [*build_meta.get_requires_for_build_wheel(config_settings), *compile_requirements()]


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    return [*build_meta.get_requires_for_build_editable(config_settings), *compile_requirements()]
