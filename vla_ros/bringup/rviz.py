"""What is started for RViz: the viewer, the paths of the tool that it draws, and who publishes /tf of the simulated arm."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vla_ros.bringup.process import Process, find_program
from vla_ros.resources import share
from vla_ros.sim import arm_description

TF = ("/tf", "/tf_static")


def view(namespace: str, images: Sequence[str]) -> dict[str, Any]:
    """Return config/vla.rviz with the topics of one arm.

    Args:
        namespace: of the arm.
        images: absolute topics of the robot's cameras; the first two replace those of the front and the wrist camera. A
            display for which there is none is left out.
    """
    tree: dict[str, Any] = yaml.safe_load(_packaged_view().read_text())
    cameras, displays = list(images), []
    for display in tree["Visualization Manager"]["Displays"]:
        if display["Class"].endswith(("/Camera", "/Image")):
            if not cameras:
                continue
            display["Topic"]["Value"] = cameras.pop(0)
        else:
            for key in {"Topic", "Description Topic"} & display.keys():
                display[key]["Value"] = _absolute(namespace, display[key]["Value"].lstrip("/"))
        displays.append(display)
    tree["Visualization Manager"]["Displays"] = displays
    return tree


def rviz_processes(
    robot: str, namespace: str, base_frame: str, camera: Mapping[str, Any], use_sim_time: bool
) -> tuple[Process, ...]:
    """Return rviz2, and for the simulated arm robot_state_publisher; a real arm's driver brings that along.

    Args:
        robot: as for `bringup`. namespace: of the arm. base_frame: the fixed frame. camera: parameters of the camera node.
        use_sim_time: follow /clock.

    Raises:
        ParameterError: one of them is not installed.
    """
    clock = {"use_sim_time": True} if use_sim_time else {}
    topics = camera.get("topics") or [f"{name}_camera/image_raw" for name in camera["cameras"]]
    images = [_absolute(namespace, topic) for topic in topics]
    # Several simulated arms must not share one /tf; a real arm's driver chooses its own.
    frames = {topic: _absolute(namespace, topic.lstrip("/")) for topic in TF} if robot == "sim" and namespace else {}
    remappings = dict(frames)
    transports = camera.get("transports") or [camera.get("transport", "raw")] * len(images)
    if transports[0] == "compressed":
        # RViz looks for camera_info beside <image>/compressed; it lies beside <image>.
        remappings[f"{images[0]}/camera_info"] = f"{images[0].rpartition('/')[0]}/camera_info"
    images = [image if kind == "raw" else f"{image}/{kind}" for image, kind in zip(images, transports, strict=True)]
    find_program("rviz2", "rviz2")
    arguments = ("-d", _view_file(view(namespace, images)), "-f", base_frame)
    viewer = Process("rviz", "rviz2", namespace, "rviz2", clock, remappings, arguments, viewer=True)
    if robot != "sim":
        return (viewer,)
    find_program("robot_state_publisher", "robot_state_publisher")
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


def _packaged_view() -> Path:
    return share() / "config" / "vla.rviz"


def _absolute(namespace: str, topic: str) -> str:
    return topic if topic.startswith("/") else f"/{namespace.strip('/')}/{topic}".replace("//", "/")


def _view_file(tree: Mapping[str, Any]) -> str:
    """Return the packaged file where the view is the same, else a file that is deleted when this program ends."""
    if tree == yaml.safe_load(_packaged_view().read_text()):
        return str(_packaged_view())
    with tempfile.NamedTemporaryFile("w", prefix="vla_ros_", suffix=".rviz", delete=False) as file:
        yaml.safe_dump(tree, file, sort_keys=False)
    atexit.register(Path(file.name).unlink, missing_ok=True)
    return file.name
