"""The reader of a checkpoint is the policy's own, or that of the folder's format."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from test.unit.policies.binding.contracts import act
from test.unit.policies.lerobot.folders import write_folder
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.binding.checkpoints import UnknownFormat, format_of, read_checkpoint, usual_policy
from vla_ros.policies.registry import Policy, Robot


@dataclass(frozen=True)
class FolderOptions:
    checkpoint: str
    binding: BindingParameters = BindingParameters()


POLICY = Policy("m:A", "m:B", FolderOptions)
ROBOT = Robot("", tuple(f"joint{number}" for number in range(1, 9)))


def own_reader(options: FolderOptions, robot: Robot) -> CheckpointContract:
    return replace(act(), source=f"{options.checkpoint} of {len(robot.joint_names)} joints")


def test_a_lerobot_folder_is_read_with_its_faults(tmp_path: Path) -> None:
    reading = read_checkpoint("lerobot", POLICY, FolderOptions(str(write_folder(tmp_path))), ROBOT)
    assert reading.contract is not None and reading.contract.family == "act" and reading.faults == ()
    write_folder(tmp_path, output_features={})
    reading = read_checkpoint("lerobot", POLICY, FolderOptions(str(tmp_path)), ROBOT)
    assert reading.contract is None and "output_features: empty" in reading.faults[0]


def test_a_policy_may_bring_its_reader() -> None:
    entry = replace(POLICY, contract="test.unit.policies.binding.test_checkpoints:own_reader")
    reading = read_checkpoint("mine", entry, FolderOptions("http://there"), ROBOT)
    assert reading.contract is not None and reading.contract.source == "http://there of 8 joints"


@pytest.mark.parametrize("target", ["no_such_module:read", "test.unit.policies.binding.test_checkpoints:nothing"])
def test_a_reader_that_does_not_import_is_refused(target: str) -> None:
    with pytest.raises(ParameterError, match="policy 'mine': contract .* does not import"):
        read_checkpoint("mine", replace(POLICY, contract=target), FolderOptions("x"), ROBOT)


@pytest.mark.parametrize(
    ("config", "found", "policy"),
    [
        ({"type": "act"}, "lerobot", "lerobot"),
        ({"model_type": "openvla"}, "openvla", "openvla"),
        ({"architectures": ["OpenVLAForActionPrediction"]}, "openvla", "openvla"),
        ({"model_type": "pi0", "architectures": ["PI0ForConditionalGeneration"]}, "transformers", "lerobot"),
        ({}, "lerobot", "lerobot"),
    ],
)
def test_formats_are_told_by_their_configuration(
    tmp_path: Path, config: dict[str, object], found: str, policy: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert (format_of(tmp_path), usual_policy(tmp_path)) == (found, policy)


def test_the_parts_of_oft_tell_its_policy(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "openvla"}')
    (tmp_path / "action_head--50000_checkpoint.pt").write_bytes(b"x")
    assert usual_policy(tmp_path) == "openvla_oft"


def test_a_folder_of_transformers_is_known_to_its_own_policy_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "pi0"}')
    with pytest.raises(UnknownFormat, match="pi0 says itself what it wants"):
        read_checkpoint("pi0", POLICY, FolderOptions(str(tmp_path)), ROBOT)
    with pytest.raises(ParameterError, match="a checkpoint of 'pi0', no LeRobot policy"):
        read_checkpoint("lerobot", POLICY, FolderOptions(str(tmp_path)), ROBOT)


def test_no_checkpoint_is_asked_for() -> None:
    with pytest.raises(ParameterError, match="mine.checkpoint: which one"):
        read_checkpoint("mine", POLICY, FolderOptions(""), ROBOT)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="there is no such folder"):
        read_checkpoint("lerobot", POLICY, FolderOptions(str(tmp_path / "nowhere")), ROBOT)
