"""What a checkpoint folder must hold, its hash and the names of its tensors."""

import json
import shutil

import numpy as np
import pytest
from safetensors import safe_open

from test.unit.policies.compact.tiny import ROBOT
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.compact.checkpoint import (
    STATISTICS,
    STORED_TENSORS,
    WEIGHTS,
    bind,
    load,
    observations,
    stored_name,
)
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.policies.registry import system1, system2
from vla_ros.robot.joint_map import JointNamesError

SHIPPED = folder_of(from_mapping(CompactParameters, {}))


@pytest.fixture
def copied(tmp_path):
    """A copy of the checkpoint that ships, to be broken."""
    return shutil.copytree(SHIPPED, tmp_path / "copy")


def test_the_checkpoint_that_ships_is_the_one_that_was_evaluated():
    assert load(SHIPPED).hash.startswith("4bfa2bfd9329")


def test_every_renamed_tensor_is_in_the_file_under_its_stored_name():
    with safe_open(SHIPPED / WEIGHTS, "numpy") as file:
        stored = set(file.keys())
    assert all(any(name.startswith(prefix) for name in stored) for prefix in STORED_TENSORS.values())
    assert stored_name("refiner.head.up.weight") == "fovea.about.up.weight"
    assert stored_name("refiner.stem.bias") == "fovea.stem.bias"
    assert stored_name("vision.stem.bias") == "vision.stem.bias"


def test_joints_are_bound_in_the_order_of_the_robot():
    checkpoint = load(SHIPPED)
    order = bind(checkpoint, checkpoint.joint_names[::-1])
    assert order.tolist() == list(range(len(checkpoint.joint_names)))[::-1]
    state = observations(checkpoint, checkpoint.joint_names[::-1])["observation.state"]
    np.testing.assert_array_equal(
        state["q01"], observations(checkpoint, checkpoint.joint_names)["observation.state"]["q01"][::-1]
    )


def test_statistics_of_other_joints_are_refused_by_name(copied):
    statistics = json.loads((copied / STATISTICS).read_text())
    statistics["joint_names"][0] = "shoulder"
    (copied / STATISTICS).write_text(json.dumps(statistics))
    with pytest.raises(JointNamesError, match="joint1"):
        bind(load(copied), ROBOT.joint_names)


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        (STATISTICS, "{}", "statistics.json"),
        ("config.json", '{"model_type": "llama"}', "llama"),
        ("vocabulary.json", "[", "vocabulary.json"),
    ],
)
def test_a_broken_checkpoint_is_one_clear_line(copied, name, text, named):
    (copied / name).write_text(text)
    for half in (system1, system2):
        with pytest.raises(ParameterError, match=named):
            half("compact", ROBOT, {"checkpoint": str(copied)})


def test_a_standard_deviation_of_zero_is_refused(copied):
    statistics = json.loads((copied / STATISTICS).read_text())
    statistics["std"][0][0] = 0.0
    (copied / STATISTICS).write_text(json.dumps(statistics))
    with pytest.raises(ParameterError, match="std positive"):
        load(copied)
