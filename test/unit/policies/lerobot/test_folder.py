"""LeRobot folders: what a checkpoint wants, and each way in which a folder is none, is torn, or does not normalise."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from test.unit.policies.binding.contracts import HIGH, JOINT_NAMES, LOW, ROBOT, statistics
from test.unit.policies.lerobot.folders import (
    ACTION,
    FRONT,
    STATE,
    arm_statistics,
    feature,
    write_folder,
    write_processor,
)
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.lerobot.folder import LeRobotFolder


def test_what_a_checkpoint_wants(tmp_path: Path) -> None:
    folder = LeRobotFolder(write_folder(tmp_path))
    contract = folder.contract()
    assert folder.faults == ()
    assert (contract.family, contract.source, contract.chunk_size) == ("act", str(tmp_path), 100)
    assert [(slot.name, slot.height, slot.width, slot.required) for slot in contract.cameras] == [
        (FRONT, 256, 256, True)
    ]
    assert contract.state is not None and contract.state.width == contract.action.width == 8
    assert contract.normalization == {"state": "mean_std", "action": "mean_std"}
    assert contract.action.statistics["mean"] == pytest.approx((LOW + HIGH) / 2)
    assert contract.rate_hz is None
    Binding(contract, ROBOT, BindingParameters(rate_hz=50.0), ROBOT.cameras)


@pytest.mark.parametrize("inside", ["pretrained_model", "checkpoints/last/pretrained_model"])
def test_the_output_folder_of_training_will_do(tmp_path: Path, inside: str) -> None:
    write_folder(tmp_path / inside)
    assert LeRobotFolder(tmp_path).path == tmp_path / inside


def test_families_with_masks_may_have_empty_inputs_and_fill_their_own(tmp_path: Path) -> None:
    cameras = (FRONT, "observation.images.wrist", "observation.images.empty_camera_0")
    contract = LeRobotFolder(write_folder(tmp_path, "smolvla", cameras=cameras)).contract()
    assert [(slot.name, slot.required) for slot in contract.cameras] == [(FRONT, False), (cameras[1], False)]


def test_names_of_the_data_that_a_processor_renames(tmp_path: Path) -> None:
    slot = "observation.images.camera1"
    step = {"registry_name": "rename_observations_processor", "config": {"rename_map": {FRONT: slot}}}
    contract = LeRobotFolder(write_folder(tmp_path, "smolvla", cameras=(slot,), steps=(step,))).contract()
    assert [(found.name, found.alias) for found in contract.cameras] == [(slot, FRONT)]


@pytest.mark.parametrize(
    ("family", "config", "rows"),
    [
        ("act", {"chunk_size": 30}, 30),
        ("diffusion", {"chunk_size": None, "horizon": 64, "n_action_steps": 32}, 32),
        ("vqbet", {"chunk_size": None, "action_chunk_size": 5}, 5),
        ("tdmpc", {"chunk_size": None, "n_action_steps": None, "horizon": 5}, 5),
    ],
)
def test_the_length_of_a_chunk(tmp_path: Path, family: str, config: dict[str, Any], rows: int) -> None:
    assert LeRobotFolder(write_folder(tmp_path, family, **config)).contract().chunk_size == rows


def test_names_and_rate_of_training_data_that_are_at_hand(tmp_path: Path) -> None:
    names = [f"{name}.pos" for name in JOINT_NAMES]
    info = {"fps": 30, "features": {STATE: {"names": names}, ACTION: {"names": {"motors": names}}}}
    (tmp_path / "data" / "meta").mkdir(parents=True)
    (tmp_path / "data" / "meta" / "info.json").write_text(json.dumps(info))
    folder = write_folder(tmp_path / "policy")
    (folder / "train_config.json").write_text(json.dumps({"dataset": {"root": str(tmp_path / "data")}}))
    contract = LeRobotFolder(folder).contract()
    assert contract.rate_hz == 30.0 and contract.action.names == tuple(names)
    assert contract.state is not None and contract.state.names == tuple(names)
    Binding(contract, ROBOT, BindingParameters(), ROBOT.cameras)


def test_names_that_the_configuration_keeps(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "pi0", action_feature_names=list(JOINT_NAMES))
    assert LeRobotFolder(folder).contract().action.names == tuple(JOINT_NAMES)


def test_targets_that_lerobot_makes_of_offsets_have_statistics_of_targets(tmp_path: Path) -> None:
    offsets = statistics([-0.1] * 8, [0.1] * 8)
    step = {
        "registry_name": "relative_actions_processor",
        "config": {"enabled": True, "exclude_joints": ["finger"], "action_names": list(JOINT_NAMES)},
    }
    stats = {**arm_statistics(), ACTION: offsets}
    spec = LeRobotFolder(write_folder(tmp_path, "pi0", stats, steps=(step,))).contract().action
    assert spec.statistics["min"] == pytest.approx([*(LOW[:7] - 0.1), -0.1], abs=1e-6)
    assert spec.statistics["mean"] == pytest.approx([*((LOW + HIGH) / 2)[:7], 0.0], abs=1e-6)


def test_groot_normalises_inside_its_own_steps(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "groot", mode="IDENTITY", stats={})
    joints = statistics(LOW, HIGH)
    ends = {key: {"min": joints["min"], "max": joints["max"]} for key in (STATE, ACTION)}
    write_processor(folder, "policy_preprocessor", [("groot_n1_7_pack_inputs_v1", {"normalize_min_max": True}, ends)])
    write_processor(folder, "policy_postprocessor", [("groot_action_unpack_unnormalize_v2", {}, ends)])
    read = LeRobotFolder(folder)
    assert read.faults == () and read.contract().normalization == {"state": "min_max", "action": "min_max"}
    assert read.contract().action.statistics["max"] == pytest.approx(HIGH)
    write_processor(folder, "policy_preprocessor", [("groot_n1_7_pack_inputs_v1", {"normalize_min_max": True}, {})])
    write_processor(folder, "policy_postprocessor", [("groot_action_unpack_unnormalize_v2", {}, {})])
    assert "it would go through un-normalised" in LeRobotFolder(folder).faults[0]


# No folder, or another one.


def refused(path: Path | str) -> str:
    with pytest.raises(ParameterError) as error:
        LeRobotFolder(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    assert "there is no such folder" in refused(tmp_path / "nowhere")
    assert "hf download lerobot/smolvla_base --local-dir DIR" in refused("lerobot/smolvla_base")
    assert "no config.json" in refused(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert "a file; give the folder" in refused(tmp_path / "config.json")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "no JSON"),
        (b"[]", "expected an object, got list"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b'{"model_type": "llava"}', "a checkpoint of 'llava', no LeRobot policy"),
        (b'{"architectures": ["PI0ForConditionalGeneration"]}', "PI0ForConditionalGeneration"),
        (b"{}", "of another format, no LeRobot policy: it has no 'type'"),
    ],
)
def test_another_configuration_is_refused(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "config.json").write_bytes(content)
    assert text in refused(tmp_path)


def test_another_architecture_is_a_fault(tmp_path: Path) -> None:
    folder = LeRobotFolder(write_folder(tmp_path, "robocat"))
    assert "another architecture, 'robocat'; known are act, diffusion" in folder.faults[0]
    assert LeRobotFolder(tmp_path, families=["robocat"]).faults == ()


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"input_features": None}, "input_features: empty"),
        ({"output_features": {}}, "output_features: empty"),
        ({"output_features": {"next.action": feature("ACTION", 8)}}, "output_features: no 'action'"),
        ({"output_features": {ACTION: {"type": "ACTION"}}}, "action: expected a type and a shape"),
        ({"output_features": {ACTION: {"type": "ACTION", "shape": []}}}, "action: expected a type and a shape"),
        ({"output_features": {ACTION: {"type": "ACTION", "shape": [0]}}}, "action: expected a type and a shape"),
        ({"output_features": {ACTION: {"type": "ACTION", "shape": "8"}}}, "action: expected a type and a shape"),
        ({"output_features": {ACTION: feature("ACTION", 8, 2)}}, "action: expected one axis"),
        ({"input_features": {FRONT: feature("VISUAL", 256, 256)}}, "expected shape (3, height, width)"),
        ({"input_features": {FRONT: feature("VISUAL", 1, 256, 256)}}, "expected shape (3, height, width)"),
        ({"input_features": {FRONT: 7}}, "expected a type and a shape"),
        (
            {"input_features": {"observation.environment_state": feature("ENV", 4)}},
            "which a simulator has and no robot",
        ),
        ({"chunk_size": 0}, "chunk_size: expected 1 to 10000 rows, got 0"),
        ({"chunk_size": "ten"}, "chunk_size: expected 1 to 10000 rows, got 'ten'"),
        ({"chunk_size": True}, "chunk_size: expected 1 to 10000 rows, got True"),
        ({"chunk_size": 10**9}, "chunk_size: expected 1 to 10000 rows, got 1000000000"),
        ({"input_features": {STATE: feature("STATE", True)}}, "expected a type and a shape of positive numbers"),
    ],
)
def test_features_that_are_incomplete_are_a_fault(tmp_path: Path, config: dict[str, Any], text: str) -> None:
    folder = LeRobotFolder(write_folder(tmp_path, **config))
    assert any(text in fault for fault in folder.faults), folder.faults
    with pytest.raises(ParameterError) as error:
        folder.contract()
    assert text in str(error.value)
    with pytest.raises(ParameterError):
        folder.require_sound()


# Half downloaded.


def no_preprocessor(folder: Path) -> None:
    (folder / "policy_preprocessor.json").unlink()


def no_statistics_file(folder: Path) -> None:
    (folder / "policy_preprocessor_step_1_normalizer_processor.safetensors").unlink()


def torn_statistics(folder: Path) -> None:
    path = folder / "policy_postprocessor_step_0_unnormalizer_processor.safetensors"
    path.write_bytes(path.read_bytes()[:-8])


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def empty_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def torn_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def long_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 10_000) + b"{}")


def no_steps(folder: Path) -> None:
    (folder / "policy_postprocessor.json").write_text('{"name": "policy_postprocessor"}')


@pytest.mark.parametrize(
    ("tear", "text"),
    [
        (no_preprocessor, "policy_preprocessor.json: absent, so that nothing says how values are normalised"),
        (no_statistics_file, "No such file or directory"),
        (torn_statistics, "truncated"),
        (no_weights, "model.safetensors: absent"),
        (empty_weights, "0 bytes hold no tensors"),
        (torn_weights, "truncated: "),
        (long_header, "truncated, or no safetensors: a header of 10000 bytes in 10"),
        (no_steps, "policy_postprocessor.json: expected a list of steps"),
    ],
)
def test_a_folder_that_is_half_downloaded_is_a_fault(tmp_path: Path, tear: Callable[[Path], None], text: str) -> None:
    tear(write_folder(tmp_path))
    folder = LeRobotFolder(tmp_path)
    assert any(text in fault for fault in folder.faults), folder.faults
    assert all("\n" not in fault for fault in folder.faults)
    with pytest.raises(ParameterError):
        folder.require_sound()


def test_weights_of_an_adapter(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, use_peft=True)
    assert "adapter_model.safetensors: absent, and config.json says use_peft" in LeRobotFolder(folder).faults[0]
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (fault,) = LeRobotFolder(folder).faults
    assert "adapter_config.json: absent" in fault
    (folder / "adapter_config.json").write_text("{}")
    assert LeRobotFolder(folder).faults == ()


def test_shards_are_a_fault_because_lerobot_reads_none(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    index = {"weight_map": {"model.weight": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (fault,) = LeRobotFolder(folder).faults
    assert fault == f"{folder}/model.safetensors: absent: LeRobot reads no shards; save the policy in one file"
    assert LeRobotFolder(folder, shards=True).faults == ()


@pytest.mark.parametrize("architectures", [5, {"a": 1}, None, "LlamaForCausalLM"])
def test_a_config_of_something_else_is_one_line(tmp_path: Path, architectures: object) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": architectures}))
    with pytest.raises(ParameterError, match="of another format, no LeRobot policy"):
        LeRobotFolder(tmp_path)


@pytest.mark.parametrize(
    ("name", "values", "text"),
    [
        ("mean", np.full((3, 1, 1), np.nan), "mean is not finite"),
        ("std", np.zeros((3, 1, 1)), "mean and std leave no range"),
        ("std", np.ones(3), "std has shape (3,); one value a colour is (3, 1, 1)"),
    ],
)
def test_statistics_of_images_that_normalise_nothing_are_a_fault(
    tmp_path: Path, name: str, values: np.ndarray, text: str
) -> None:
    stats = arm_statistics()
    stats[FRONT] = {**stats[FRONT], name: values}
    (fault,) = LeRobotFolder(write_folder(tmp_path, stats=stats)).faults
    assert f"statistics of {FRONT}: {text}" in fault


def test_a_normaliser_without_options_normalises_nothing_and_says_so(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    content = json.loads((folder / "policy_preprocessor.json").read_text())
    for step in content["steps"]:
        step["config"] = []
    (folder / "policy_preprocessor.json").write_text(json.dumps(content))
    assert any("normalizer_processor by nothing" in fault for fault in LeRobotFolder(folder).faults)


# Normalisers that do nothing.


def test_statistics_whose_keys_do_not_bind_are_a_fault_and_nothing_of_them_is_used(tmp_path: Path) -> None:
    stats = {f"so100.{key}": values for key, values in arm_statistics().items()}
    folder = LeRobotFolder(write_folder(tmp_path, "smolvla", stats))
    assert f"{STATE} is to be normalised by mean_std, and its mean and std are missing" in folder.faults[0]
    assert "the statistics are of so100.action, so100.observation.images.front" in folder.faults[0]
    assert folder.statistics.get(STATE) is None and folder.contract().action.statistics == {}
    with pytest.raises(ParameterError, match="its mean is missing, so that values would go through un-normalised"):
        Binding(folder.contract(), ROBOT, BindingParameters(rate_hz=30.0), ROBOT.cameras)


def test_a_feature_that_the_normaliser_does_not_name_is_not_normalised(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    options = {"norm_map": {"STATE": "MEAN_STD"}, "features": {FRONT: feature("VISUAL", 3, 256, 256)}}
    write_processor(folder, "policy_preprocessor", [("normalizer_processor", options, arm_statistics())])
    assert any(STATE in fault and "un-normalised" in fault for fault in LeRobotFolder(folder).faults)
    features = {STATE: feature("STATE", 8)}
    options = {"norm_map": {"STATE": "MEAN_STD"}, "features": features, "normalize_observation_keys": [FRONT]}
    write_processor(folder, "policy_preprocessor", [("normalizer_processor", options, arm_statistics())])
    assert any(STATE in fault and "un-normalised" in fault for fault in LeRobotFolder(folder).faults)


def test_pi05_needs_quantiles(tmp_path: Path) -> None:
    stats = arm_statistics()
    for key in (STATE, ACTION):
        del stats[key]["q01"], stats[key]["q99"]
    folder = LeRobotFolder(write_folder(tmp_path, "pi05", stats, mode="QUANTILES"))
    assert len(folder.faults) == 2
    assert "normalised by quantiles, and its q01 and q99 are missing" in folder.faults[0]


def test_an_image_that_is_to_be_normalised_needs_statistics_too(tmp_path: Path) -> None:
    stats = arm_statistics()
    del stats[FRONT]
    assert f"{FRONT} is to be normalised by mean_std" in LeRobotFolder(write_folder(tmp_path, "act", stats)).faults[0]


def test_an_unnormaliser_without_statistics_is_a_fault(tmp_path: Path) -> None:
    folder = LeRobotFolder(write_folder(tmp_path, action_stats={}))
    assert any(fault.startswith(f"{tmp_path}: {ACTION} is to be normalised") for fault in folder.faults)


def test_a_processor_that_contradicts_the_model_is_a_fault(tmp_path: Path) -> None:
    mapping = {"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}
    folder = LeRobotFolder(write_folder(tmp_path, mode="IDENTITY", normalization_mapping=mapping))
    assert "config.json normalises STATE by mean_std, and normalizer_processor by identity" in folder.faults[0]


def test_statistics_of_the_wrong_width_are_refused_by_the_binding(tmp_path: Path) -> None:
    stats = arm_statistics()
    stats[ACTION] = statistics(LOW[:7], HIGH[:7])
    contract = LeRobotFolder(write_folder(tmp_path, "act", stats)).contract()
    with pytest.raises(ParameterError, match=r"action statistics: .*8 values, but \w+ has shape \(7,\)"):
        Binding(contract, ROBOT, BindingParameters(rate_hz=50.0), ROBOT.cameras)


def test_an_old_folder_is_told_how_to_be_converted(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    for file in folder.glob("policy_*"):
        file.unlink()
    save_file({"normalize_inputs.buffer_observation_state.mean": np.zeros(8, np.float32)}, folder / "model.safetensors")
    assert (
        "python -m lerobot.processor.migrate_policy_normalization --pretrained-path" in LeRobotFolder(folder).faults[0]
    )
