"""What ROS takes from the environment, checked before it starts: it fails without a word, with many, later, or elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from vla_ros.parameters import ParameterError

LARGEST_DOMAIN = 232
"""Ports of UDP end there. Source: ROS 2 documentation, "The ROS_DOMAIN_ID"."""
RANGES = ("SUBNET", "LOCALHOST", "SYSTEM_DEFAULT")
PROFILES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
LIBRARY_PATHS = ("LD_LIBRARY_PATH", "AMENT_PREFIX_PATH")


@dataclass(frozen=True)
class EnvironmentProblem:
    """What keeps ROS from starting. text: variable and what is wrong with it. remedy: what to do."""

    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.text}: {self.remedy}"


def environment_problems(
    environment: Mapping[str, str] = os.environ, arguments: Sequence[str] = ()
) -> Iterator[EnvironmentProblem]:
    """Yield what keeps a node, or a command, from starting or from hearing others.

    Args:
        environment: variables. arguments: the command line.
    """
    yield from _text(arguments)
    yield from _domain(environment)
    yield from _middleware(environment)
    yield from _logs(environment)


def require_environment(arguments: Sequence[str] = ()) -> None:
    """Raise ParameterError, one line, where there is an environment problem."""
    if problems := list(environment_problems(arguments=arguments)):
        raise ParameterError("; ".join(map(str, problems)))


def require_middleware() -> None:
    """Raise ParameterError where the middleware of the environment is not there: rcl ends the process when it is imported."""
    if problems := list(_middleware(os.environ)):
        raise ParameterError("; ".join(map(str, problems)))


def _text(arguments: Sequence[str]) -> Iterator[EnvironmentProblem]:
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(argument).decode("utf-8", "backslashreplace")
            yield EnvironmentProblem(f"{shown!r} is no UTF-8", "type it in a terminal that speaks UTF-8")


def _domain(environment: Mapping[str, str]) -> Iterator[EnvironmentProblem]:
    domain = environment.get("ROS_DOMAIN_ID", "")
    if domain and not (domain.isascii() and domain.isdigit() and int(domain[:9]) <= LARGEST_DOMAIN):
        remedy = f"give a whole number from 0 to {LARGEST_DOMAIN}, best below 102, or unset it"
        yield EnvironmentProblem(f"ROS_DOMAIN_ID={domain!r}", remedy)
    reach = environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
    if reach == "OFF":
        remedy = "no node hears another one; set it to LOCALHOST or SUBNET, or unset it"
        yield EnvironmentProblem("ROS_AUTOMATIC_DISCOVERY_RANGE=OFF", remedy)
    elif reach and reach not in RANGES:
        yield EnvironmentProblem(f"ROS_AUTOMATIC_DISCOVERY_RANGE={reach!r}", f"it is one of {', '.join(RANGES)}")


def _middleware(environment: Mapping[str, str]) -> Iterator[EnvironmentProblem]:
    name = environment.get("RMW_IMPLEMENTATION", "")
    entries = [entry for key in LIBRARY_PATHS for entry in environment.get(key, "").split(os.pathsep) if entry]
    folders = [Path(entry, below) for entry in (*entries, sys.prefix) for below in ("", "lib")]
    if name and not any((folder / f"lib{name}.so").exists() for folder in folders):
        yield EnvironmentProblem(f"RMW_IMPLEMENTATION={name!r} is not installed", "install it, or unset it")
    for key in PROFILES:
        # A remedy for both: Fast DDS goes on without the profile, and differently from how it was meant.
        if (file := environment.get(key, "")) and (wrong := _unreadable_xml(Path(file))):
            yield EnvironmentProblem(f"{key}={file!r}: {wrong}", "name a file of profiles, or unset it")
    if environment.get("ROS_SECURITY_ENABLE", "").lower() == "true":
        store = environment.get("ROS_SECURITY_KEYSTORE", "")
        if not Path(store or "/nowhere", "enclaves").is_dir():
            remedy = "name a keystore (docs/security.md), or unset ROS_SECURITY_ENABLE"
            yield EnvironmentProblem(f"ROS_SECURITY_KEYSTORE={store!r}: there is no keystore", remedy)


def _unreadable_xml(file: Path) -> str:
    if not file.is_file():
        return "there is no such file"
    try:
        ElementTree.parse(file)
    except (OSError, ElementTree.ParseError) as error:
        return f"it cannot be read ({getattr(error, 'strerror', None) or f'no XML: {error}'})"
    return ""


def _logs(environment: Mapping[str, str]) -> Iterator[EnvironmentProblem]:
    remedy = "set ROS_LOG_DIR to a folder that can be written"
    home = environment.get("HOME", "")
    if (folder := environment.get("ROS_LOG_DIR", "")) or (ros_home := environment.get("ROS_HOME", "")):
        given = folder or f"{ros_home}/log"
    elif home:
        given = f"{home}/.ros/log"
    else:
        yield EnvironmentProblem("HOME is not set, so that ROS has no folder for its logs", remedy)
        return
    if given.startswith("~") and not home:
        yield EnvironmentProblem(f"HOME is not set, and the logs go to {given}", remedy)
        return
    path = Path(home + given[1:] if given.startswith("~") else given)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        yield EnvironmentProblem(f"the folder for logs, {path}, cannot be made ({why})", remedy)
        return
    if not os.access(path, os.W_OK | os.X_OK):
        yield EnvironmentProblem(f"the folder for logs, {path}, cannot be written", remedy)
