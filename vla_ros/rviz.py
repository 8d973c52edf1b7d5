"""What is started for RViz: the viewer, the paths of the tool that it draws, and who publishes /tf of the simulated arm."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vla_ros.graph import Process, share
from vla_ros.parameters import ParameterError
from vla_ros.robot import description

TF = ("/tf", "/tf_static")
CAMERAS = ("front", "wrist")
"""As config/vla.rviz names them; a robot's first and second camera take their places."""


def program(package: str, executable: str) -> str:
    """Return the path of a ROS program.

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


def displays() -> list[dict[str, Any]]:
    """The displays of config/vla.rviz."""
    tree = yaml.safe_load((share() / "config" / "vla.rviz").read_text())
    return list(tree["Visualization Manager"]["Displays"])


def topics() -> Iterator[str]:
    """The topics of config/vla.rviz, absolute; with those that its cameras need beside the image."""
    for display in displays():
        for key in ("Topic", "Description Topic"):
            if key in display:
                yield display[key]["Value"]
        if display["Class"].endswith("/Camera"):
            yield display["Topic"]["Value"].rpartition("/")[0] + "/camera_info"


def processes(
    robot: str, namespace: str, base_frame: str, cameras: Sequence[str], use_sim_time: bool
) -> tuple[Process, ...]:
    """Return rviz2, and for the simulated arm robot_state_publisher; a real arm's driver brings that along.

    Args:
        base_frame: the fixed frame. cameras: of the robot.

    Raises:
        ParameterError: one of them is not installed.
    """
    moved = _remappings(namespace, cameras)
    clock = {"use_sim_time": True} if use_sim_time else {}
    view = str(share() / "config" / "vla.rviz")
    program("rviz2", "rviz2")
    viewer = Process(
        "rviz", "rviz2", namespace, "rviz2", clock, remappings=moved, arguments=("-d", view, "-f", base_frame)
    )
    if robot != "sim":
        return (viewer,)
    program("robot_state_publisher", "robot_state_publisher")
    # sim_arm publishes the description already; two publishers of it would be one too many.
    moved = {topic: moved[topic] for topic in TF if topic in moved} | {"robot_description": "~/robot_description"}
    frames = Process(
        "robot_state_publisher",
        "robot_state_publisher",
        namespace,
        "robot_state_publisher",
        {"robot_description": description.urdf(), "publish_frequency": 50.0, **clock},
        moved,
        respawn=True,
    )
    return (viewer, frames)


def _remappings(namespace: str, cameras: Sequence[str]) -> Mapping[str, str]:
    """From the topics of config/vla.rviz to the robot's; frames of several arms must not meet on one /tf."""
    moved = {}
    for topic in (*topics(), *TF):
        target = topic
        for shown, present in zip(CAMERAS, cameras, strict=False):
            target = target.replace(f"/{shown}_camera/", f"/{present}_camera/")
        if namespace:
            target = f"/{namespace.strip('/')}{target}"
        if target != topic:
            moved[topic] = target
    return moved
