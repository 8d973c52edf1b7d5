"""The configurations of docs/remote.md are good, and bind to an arm with such joints. Bad values: test_remote_model.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from vla_ros.bringup.graph import bringup
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.registry import Robot
from vla_ros.policies.remote.remote_model import contract_of
from vla_ros.policies.remote.remote_parameters import PROTOCOLS, RemoteParameters
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

PAGE = Path(__file__).parents[4] / "docs" / "remote.md"
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S)]
OPTIONS = [block["remote"] for block in BLOCKS if "remote" in block]
ROBOT = Robot(urdf(), JOINT_NAMES, cameras=("front", "wrist"))


def test_the_page_shows_every_protocol() -> None:
    assert {options.get("protocol", "openpi") for options in OPTIONS} == set(PROTOCOLS)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: options.get("protocol", "openpi"))
def test_the_examples_of_the_page_bind(options: dict[str, Any]) -> None:
    parameters = from_mapping(RemoteParameters, options, "remote.")
    if options.get("protocol") == "groot":  # an arm of five joints and a gripper
        with pytest.raises(ParameterError, match="are 6 values, but the binding has 8"):
            contract_of(ROBOT, parameters)
        return
    Binding(contract_of(ROBOT, parameters), ROBOT, parameters.binding, ROBOT.cameras)


@pytest.mark.parametrize(
    "file", [block for block in BLOCKS if "planner" in block], ids=["ws://gpu-box:8000", "ws://127.0.0.1:8000"]
)
def test_the_whole_files_of_the_page_start_a_graph(
    tmp_path: Path, file: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "remote.yaml"
    path.write_text(yaml.safe_dump(file))
    processes = {process.name: process.parameters for process in bringup(policy="remote", config=str(path))}
    for node in ("planner", "action_expert"):
        options = {key.removeprefix("remote."): value for key, value in processes[node].items() if "remote." in key}
        assert from_mapping(RemoteParameters, nested(options), "").server_url == request.node.callspec.id


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_without_a_url_the_usual_port_of_this_machine_is_meant(protocol: str) -> None:
    lerobot = {"policy_type": "act", "checkpoint": "/models/act"}
    parameters = from_mapping(
        RemoteParameters, {"protocol": protocol, "lerobot": lerobot, "binding": {"rate_hz": 20.0}}, "remote."
    )
    assert parameters.server_url == PROTOCOLS[protocol].url and "127.0.0.1" in parameters.server_url
    assert parameters.images and parameters.action_parts and parameters.prompt


@pytest.mark.parametrize("url", ["localhost:8000", "ws://", "ws://h h:8000", "ws://h :8000", "http://h:8000"])
def test_what_is_no_address_of_the_protocol_is_refused(url: str) -> None:
    with pytest.raises(ParameterError, match="remote.url: .* must begin with ws://host or wss://host"):
        from_mapping(RemoteParameters, {"url": url, "binding": {"rate_hz": 20.0}}, "remote.")
