"""The page examples/05_add_a_camera.md: its configuration is accepted, and means what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vla_ros.bringup.graph import bringup
from vla_ros.parameters import ParameterError
from vla_ros.resources import share


def configuration(folder: Path) -> Path:
    """Write the page's block of YAML to a file."""
    (block,) = re.findall(r"```yaml\n(.*?)```", (share() / "examples" / "05_add_a_camera.md").read_text(), re.S)
    file = folder / "side.yaml"
    file.write_text(block)
    return file


def test_the_third_camera_is_read_on_the_topic_of_its_driver(tmp_path: Path) -> None:
    processes = {process.name: process for process in bringup(config=str(configuration(tmp_path)))}
    camera, planner = processes["camera"].parameters, processes["planner"].parameters
    assert dict(zip(camera["cameras"], camera["topics"], strict=True))["side"] == "usb_cam/image_raw"
    assert len(planner["camera_poses"]) == 7 * len(planner["cameras"]) == 14


def test_a_camera_without_a_pose_is_refused_by_the_name_of_the_key(tmp_path: Path) -> None:
    file = configuration(tmp_path)
    file.write_text(file.read_text().replace(", 0.5, 0.9, 0.5, 0.0, 0.819152, -0.573576, 0.0]", "]"))
    with pytest.raises(ParameterError, match=r"camera_poses: 7 values for 2 cameras"):
        bringup(config=str(file))
