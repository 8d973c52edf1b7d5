"""What is started for RViz: the viewer, the paths of the tool that it draws, and who publishes /tf of the simulated arm."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vla_ros.bringup.graph import Process
from vla_ros.parameters import ParameterError
from vla_ros.resources import share
from vla_ros.sim import arm_description

TF = ("/tf", "/tf_static")


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


def view(namespace: str, images: Sequence[str]) -> dict[str, Any]:
    """config/vla.rviz with the topics of one arm.

    Args:
        images: topics of the robot's cameras, absolute; the first two take the places of the front and the wrist camera. A
            place for which there is none is left out.
    """
    tree: dict[str, Any] = yaml.safe_load(_packaged().read_text())
    cameras, shown = list(images), []
    for display in tree["Visualization Manager"]["Displays"]:
        if display["Class"].endswith(("/Camera", "/Image")):
            if not cameras:
                continue
            display["Topic"]["Value"] = cameras.pop(0)
        else:
            for key in {"Topic", "Description Topic"} & display.keys():
                display[key]["Value"] = _absolute(namespace, display[key]["Value"].lstrip("/"))
        shown.append(display)
    tree["Visualization Manager"]["Displays"] = shown
    return tree


def processes(
    robot: str, namespace: str, base_frame: str, camera: Mapping[str, Any], use_sim_time: bool
) -> tuple[Process, ...]:
    """Return rviz2, and for the simulated arm robot_state_publisher; a real arm's driver brings that along.

    Args:
        base_frame: the fixed frame. camera: parameters of the camera node.

    Raises:
        ParameterError: one of them is not installed.
    """
    clock = {"use_sim_time": True} if use_sim_time else {}
    topics = camera.get("topics") or [f"{name}_camera/image_raw" for name in camera["cameras"]]
    images = [_absolute(namespace, topic) for topic in topics]
    # Frames of several simulated arms must not meet on one /tf; where a real arm's are is its own driver's affair.
    frames = {topic: _absolute(namespace, topic.lstrip("/")) for topic in TF} if robot == "sim" and namespace else {}
    moved = dict(frames)
    if camera.get("transport") == "compressed":
        # RViz looks for camera_info beside <image>/compressed; it lies beside <image>.
        moved[f"{images[0]}/camera_info"] = f"{images[0].rpartition('/')[0]}/camera_info"
        images = [f"{image}/compressed" for image in images]
    program("rviz2", "rviz2")
    arguments = ("-d", _file(view(namespace, images)), "-f", base_frame)
    viewer = Process("rviz", "rviz2", namespace, "rviz2", clock, moved, arguments, viewer=True)
    if robot != "sim":
        return (viewer,)
    program("robot_state_publisher", "robot_state_publisher")
    publisher = Process(
        "robot_state_publisher",
        "robot_state_publisher",
        namespace,
        "robot_state_publisher",
        {"robot_description": arm_description.urdf(), "publish_frequency": 50.0, **clock},
        # sim_arm publishes the description already; two publishers of it would be one too many.
        {**frames, "robot_description": "~/robot_description"},
        respawn=True,
        viewer=True,
    )
    return (viewer, publisher)


def _packaged() -> Path:
    return share() / "config" / "vla.rviz"


def _absolute(namespace: str, topic: str) -> str:
    return topic if topic.startswith("/") else f"/{namespace.strip('/')}/{topic}".replace("//", "/")


def _file(tree: Mapping[str, Any]) -> str:
    """The packaged view where it is the same, else a file for as long as this program runs."""
    if tree == yaml.safe_load(_packaged().read_text()):
        return str(_packaged())
    with tempfile.NamedTemporaryFile("w", prefix="vla_ros_", suffix=".rviz", delete=False) as file:
        yaml.safe_dump(tree, file, sort_keys=False)
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return file.name
