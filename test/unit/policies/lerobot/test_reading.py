"""What is wrong with a LeRobot policy is said before anything starts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from test.unit.policies.lerobot.folders import write_folder
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.binding.checkpoints import CheckpointReading
from vla_ros.policies.lerobot.reading import lerobot_reading
from vla_ros.policies.lerobot_parameters import LeRobotParameters
from vla_ros.policies.registry import Robot

ROBOT = Robot("", ("joint1",))


def read(checkpoint: Path | str, **options: Any) -> CheckpointReading:
    return lerobot_reading(from_mapping(LeRobotParameters, {"checkpoint": str(checkpoint), **options}), ROBOT)


def test_a_folder_is_read_with_its_faults(tmp_path: Path) -> None:
    reading = read(write_folder(tmp_path), policy_python=sys.executable, tokenizer=str(tmp_path))
    assert reading.contract is not None and reading.contract.family == "act" and reading.faults == ()
    write_folder(tmp_path, output_features={})
    reading = read(tmp_path)
    assert reading.contract is None and "output_features: empty" in reading.faults[0]


def test_a_folder_of_another_policy_is_not_read_as_its_own(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "openvla"}')
    with pytest.raises(ParameterError, match="a checkpoint of 'openvla', no LeRobot policy"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("checkpoint", "options", "text"),
    [
        ("", {}, "lerobot.checkpoint: which policy"),
        ("/nowhere", {}, "/nowhere: there is no such folder"),
        ("/nowhere", {"tokenizer": "/nowhere/words"}, "lerobot.tokenizer: there is no folder '/nowhere/words'"),
        ("/nowhere", {"policy_python": "/nowhere/python"}, "lerobot.policy_python: '/nowhere/python' is no program"),
    ],
)
def test_what_is_not_there_is_named(checkpoint: str, options: dict[str, str], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        read(checkpoint, **options)
