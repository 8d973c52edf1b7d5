"""What several tests of the running graph need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from test.unit.dashboard.page_rig import started_browser
from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import private_domain
from vla_ros.parameters import nested


@pytest.fixture(scope="module", autouse=True)
def own_environment() -> Iterator[None]:
    """What a file sets, its ROS domain above all, does not reach the next one."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Make a node of this process with the parameters of the simulated arm, and others."""
    rclpy = pytest.importorskip("rclpy")
    os.environ.update(private_domain())
    made = []

    def make(kind: Callable[[], Any], name: str = "", **changes: object) -> Any:
        flat = {
            key: value for process in bringup() if process.name == name for key, value in process.parameters.items()
        }
        if name == "safety_filter":
            flat["safety_monitor.timeout_s"] = 0.0  # nobody else is there
            flat["unchecked"] = [*flat["unchecked"], "safety_monitor"]
        file = tmp_path / "parameters.yaml"
        file.write_text(yaml.safe_dump({"/**": {"ros__parameters": nested({**flat, **changes})}}))
        rclpy.init(args=["--ros-args", "--params-file", str(file)])
        made.append(kind())
        return made[-1]

    yield make
    for node in made:
        node.destroy_node()
    rclpy.try_shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser."""
    yield from started_browser()
