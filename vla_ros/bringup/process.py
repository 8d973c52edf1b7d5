"""One process of the graph, and the environment that it runs in."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.resources import share

RESPAWN_DELAY_S = 1.0
LONGEST_NAMESPACE = 150
"""A topic's whole name may have 247 letters."""


@dataclass(frozen=True)
class Process:
    """One process of the graph.

    executable: file in vla_ros/nodes/ and name of the installed program. parameters: dotted names. respawn: start it
    again, after RESPAWN_DELAY_S and longer each time, when it dies; vital: its death stops the graph; viewer: the arm
    moves without it, so the graph goes on when it refuses to start.
    """

    name: str
    executable: str
    namespace: str = ""
    package: str = "vla_ros"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    remappings: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    respawn: bool = False
    vital: bool = False
    viewer: bool = False


def check_namespace(namespace: str) -> str:
    """Return the namespace of an arm without the slashes that it may have at its ends; empty: none.

    Whoever is given a namespace asks here, so that all take the same ones and mean the same by them.

    Raises:
        ParameterError: ROS would not take it.
    """
    inner = namespace.strip("/")
    if inner and not re.fullmatch(r"([A-Za-z_]\w*)(/[A-Za-z_]\w*)*", inner, re.ASCII):
        raise ParameterError(
            f"namespace {namespace!r}: letters, digits and _, none beginning with a digit, / between them"
        )
    if len(inner) > LONGEST_NAMESPACE:
        raise ParameterError(
            f"namespace {inner[:20]!r}…: {len(inner)} letters; at most {LONGEST_NAMESPACE} leave room for topics"
        )
    return inner


def find_program(package: str, executable: str) -> str:
    """Return the path of an installed ROS program.

    Raises:
        ParameterError: it is not installed.
    """
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        for folder in (f"lib/{package}", "bin"):
            path = Path(prefix) / folder / executable
            if prefix and path.is_file() and os.access(path, os.X_OK):
                return str(path)
    found = shutil.which(executable)
    if found is None:
        distribution = os.environ.get("ROS_DISTRO", "jazzy")
        name = f"ros-{distribution}-{package.replace('_', '-')}"
        raise ParameterError(f"rviz: {executable} is not installed: apt install {name}, or start without RViz")
    return found


def private_domain() -> dict[str, str]:
    """Return variables of a random ROS domain on this machine alone, so that no other graph hears a run."""
    return {"ROS_DOMAIN_ID": str(random.SystemRandom().randint(1, 100)), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


def discovery_environment(robot: str, alone: bool = True) -> dict[str, str]:
    """Return variables that keep a simulated arm's graph on this machine.

    Args:
        robot: as it was given; another than "sim" may have its parts on other hosts: no variables.
        alone: whether the whole graph runs on this host. When the user has chosen, no variables either.
    """
    chosen = any(os.environ.get(name) for name in ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOCALHOST_ONLY"))
    if robot != "sim" or not alone or chosen:
        return {}
    return {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


@contextmanager
def temporary_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have variables in the environment until the end of the block: what is started beside the graph has its own."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def enclave_arguments(process: Process) -> list[str]:
    """Return the words that put a process into its enclave of SROS2, below --ros-args; none without ROS_SECURITY_ENABLE."""
    if os.environ.get("ROS_SECURITY_ENABLE", "").lower() != "true" or os.environ.get("ROS_SECURITY_ENCLAVE_OVERRIDE"):
        return []
    return ["--enclave", "/".join(("", *process.namespace.strip("/").split("/"), process.name)).replace("//", "/")]


def dds_environment() -> dict[str, str]:
    """Return variables that choose config/fastdds.xml; none when the user has chosen a profile."""
    names = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
    if any(os.environ.get(name) for name in names):
        return {}
    return dict.fromkeys(names, str(share() / "config" / "fastdds.xml"))
