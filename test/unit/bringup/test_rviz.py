"""RViz is started with all that it needs, or it is said in one line what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import Process
from vla_ros.bringup.supervisor import command_line
from vla_ros.parameters import ParameterError
from vla_ros.resources import share

# Of rviz_common and rviz_default_plugins, as their plugin descriptions name them.
CLASSES = {
    *(f"rviz_common/{name}" for name in ("Displays", "Views")),
    *(
        f"rviz_default_plugins/{name}"
        for name in ("Camera", "Grid", "Image", "MarkerArray", "Path", "RobotModel", "TF")
    ),
    *(f"rviz_default_plugins/{name}" for name in ("MoveCamera", "FocusCamera", "Measure", "Orbit")),
}


def classes(tree: object) -> set[str]:
    if isinstance(tree, dict):
        below = set().union(*(classes(value) for value in tree.values())) if tree else set()
        return below | ({tree["Class"]} if tree.get("Class") else set())
    return set().union(*(classes(value) for value in tree)) if isinstance(tree, list) and tree else set()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for package in ("rviz2", "robot_state_publisher"):
        file = tmp_path / "lib" / package / package
        file.parent.mkdir(parents=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    return tmp_path


def started(**options: object) -> dict[str, Process]:
    return {process.name: process for process in bringup(**options)}  # type: ignore[arg-type]


def test_every_class_is_one_that_rviz_has() -> None:
    tree = yaml.safe_load((share() / "config" / "vla.rviz").read_text())
    assert classes(tree) == CLASSES


def displays(file: Path) -> list[dict[str, Any]]:
    return yaml.safe_load(file.read_text())["Visualization Manager"]["Displays"]  # type: ignore[no-any-return]


def shown(process: Process) -> dict[str, str]:
    """Display → topic, of a started RViz."""
    keys = ("Topic", "Description Topic")
    found = displays(Path(process.arguments[process.arguments.index("-d") + 1]))
    return {display["Name"]: display[key]["Value"] for display in found for key in keys if key in display}


def test_the_camera_shows_displays_that_exist() -> None:
    packaged = displays(share() / "config" / "vla.rviz")
    names = {display["Name"] for display in packaged}
    (camera,) = [display for display in packaged if display["Class"].endswith("/Camera")]
    assert set(camera["Visibility"]) - {"Value"} < names
    assert len(names) == len(packaged)


def test_the_simulated_arm_gets_its_frames(installed: Path) -> None:
    processes = started(rviz=True)
    frames = processes["robot_state_publisher"]
    assert (
        frames.parameters["robot_description"].startswith("<?xml") or "<robot" in frames.parameters["robot_description"]
    )
    assert frames.remappings["robot_description"] != "robot_description"
    assert "motion_paths" in processes
    line = command_line(processes["rviz"], installed)
    assert line[0] == str(installed / "lib" / "rviz2" / "rviz2")
    assert line[line.index("-d") + 1] == str(share() / "config" / "vla.rviz")
    assert line[line.index("-f") + 1] == "base"
    assert command_line(frames, installed)[0].endswith("lib/robot_state_publisher/robot_state_publisher")


def test_a_real_arms_driver_brings_its_own_frames(installed: Path) -> None:
    processes = started(robot="franka", rviz=True)
    assert "robot_state_publisher" not in processes
    line = command_line(processes["rviz"], installed)
    assert line[line.index("-f") + 1] == "fr3_link0"
    assert processes["motion_paths"].parameters["base_frame"] == "fr3_link0"
    assert processes["motion_paths"].parameters["tool_frame"] == "fr3_hand_tcp"


def test_under_a_namespace_every_topic_is_that_arms(installed: Path) -> None:
    processes = started(namespace="left", rviz=True)
    moved = processes["rviz"].remappings
    assert moved == {"/tf": "/left/tf", "/tf_static": "/left/tf_static"}
    assert processes["robot_state_publisher"].remappings["/tf"] == "/left/tf"
    alone = shown(started(rviz=True)["rviz"])
    assert shown(processes["rviz"]) == {name: f"/left{topic}" for name, topic in alone.items()}


def test_other_cameras_take_the_places_of_those_in_the_file(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("camera:\n  ros__parameters: {cameras: [top, hand]}\n")
    seen = shown(started(config=str(file), rviz=True)["rviz"])
    assert (seen["Front camera"], seen["Wrist camera"]) == ("/top_camera/image_raw", "/hand_camera/image_raw")


def test_a_real_arms_images_are_where_its_configuration_says(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("camera:\n  ros__parameters: {topics: [/camera/color/image_raw]}\n")
    viewer = started(robot="franka", config=str(file), rviz=True, namespace="left")["rviz"]
    seen = shown(viewer)
    assert seen["Front camera"] == "/camera/color/image_raw"
    assert seen["Waypoints"] == "/left/vla/waypoints"
    assert "Wrist camera" not in seen, "it has none"
    assert viewer.remappings == {}, "its driver's /tf is where its driver publishes it"
    file.write_text("camera:\n  ros__parameters: {topics: [color/image_raw], transport: compressed}\n")
    viewer = started(robot="franka", config=str(file), rviz=True, namespace="left")["rviz"]
    assert shown(viewer)["Front camera"] == "/left/color/image_raw/compressed"
    assert viewer.remappings == {"/left/color/image_raw/camera_info": "/left/color/camera_info"}


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ParameterError, match=r"^rviz: rviz2 is not installed: apt install ros-\w+-rviz2"):
        bringup(rviz=True)
