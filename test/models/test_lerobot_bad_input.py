"""What can be wrong with a LeRobot folder beyond what its files tell: one line that says what, where and what to do."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lerobot")

import torch
from safetensors.torch import load_file, save_file

from test.models import tiny
from test.models.test_lerobot_model import language, loaded, seen
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import Instruction, JointState, PlanState
from vla_ros.policies.lerobot.system2 import LeRobotSystem2
from vla_ros.policies.lerobot_parameters import LeRobotParameters
from vla_ros.policies.registry import Robot
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("saved")
    return {family: tiny.save(family, root / family) for family in ("act", "pi0", "smolvla")}


@pytest.fixture
def copy(saved: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    def made(family: str) -> Path:
        return Path(shutil.copytree(saved[family], tmp_path / family))

    return made


def refused(family: str, folder: Path, **options: Any) -> str:
    with pytest.raises(ParameterError) as error, tiny.sizes(family):
        loaded(family, folder, **options)
    assert "\n" not in str(error.value)
    assert str(folder) in str(error.value) or "lerobot." in str(error.value)
    return str(error.value)


def weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def first_matrix(tensors: dict[str, torch.Tensor]) -> str:
    return next(name for name, tensor in sorted(tensors.items()) if tensor.ndim == 2)


@pytest.mark.parametrize("family", ["act", "pi0", "smolvla"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(family: str, value: float, copy: Callable[[str], Path]) -> None:
    folder, names = copy(family), []

    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        names.append(first_matrix(tensors))
        tensors[names[0]][-1, -1] = value

    weights(folder, spoil)
    said = refused(family, folder)
    assert "not finite" in said and names[0] in said


@pytest.mark.parametrize("family", ["act", "pi0", "smolvla"])
def test_a_weight_that_the_file_lacks_is_never_left_random(family: str, copy: Callable[[str], Path]) -> None:
    folder, names = copy(family), []

    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        names.append(first_matrix(tensors))
        del tensors[names[0]]

    weights(folder, spoil)
    said = refused(family, folder)
    assert "no weights for" in said and names[0] in said


@pytest.mark.parametrize("family", ["act", "pi0", "smolvla"])
def test_weights_of_another_policy(family: str, copy: Callable[[str], Path], saved: dict[str, Path]) -> None:
    folder = copy(family)
    other = "act" if family != "act" else "smolvla"
    shutil.copy(saved[other] / "model.safetensors", folder / "model.safetensors")
    assert "another architecture" in refused(family, folder)


@pytest.mark.parametrize("family", ["act", "smolvla"])
def test_weights_of_other_sizes(family: str, copy: Callable[[str], Path]) -> None:
    folder = copy(family)

    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        name = first_matrix(tensors)
        tensors[name] = torch.cat([tensors[name]] * 2)

    weights(folder, spoil)
    assert "size mismatch" in refused(family, folder)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.bool])
def test_weights_of_whole_numbers(dtype: torch.dtype, copy: Callable[[str], Path]) -> None:
    folder, names = copy("act"), []

    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        names.append(first_matrix(tensors))
        tensors[names[0]] = tensors[names[0]].to(dtype)

    weights(folder, spoil)
    said = refused("act", folder)
    assert names[0] in said and "not of floating-point numbers" in said


def test_fields_of_another_version_of_lerobot(copy: Callable[[str], Path]) -> None:
    folder = copy("act")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "brand_new": 3}))
    said = refused("act", folder)
    assert "brand_new" in said and "another version of LeRobot wrote it: install that one" in said


def test_more_layers_than_the_configuration_has(copy: Callable[[str], Path]) -> None:
    folder = copy("act")
    weights(folder, lambda tensors: tensors.update({"model.encoder.layers.9.norm1.weight": torch.ones(64)}))
    said = refused("act", folder)
    assert "model.encoder.layers.9.norm1.weight" in said and "another architecture" in said


def test_fewer_layers_than_the_configuration_has(copy: Callable[[str], Path]) -> None:
    folder = copy("act")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "n_encoder_layers": 3}))
    assert "no weights for model.encoder.layers.1" in refused("act", folder)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"config": ["no_such_field=1"]},
            "config.json: unrecognized arguments: --no_such_field=1; correct lerobot.config",
        ),
        ({"config": ["chunk_size=many"]}, "chunk_size"),
        ({"device": "cuda:99"}, "lerobot.device: 'cuda:99' cannot be used here"),
        ({"device": "toaster"}, "lerobot.device: 'toaster' cannot be used here"),
        ({"config": ["n_action_steps=1000"]}, "n_action_steps"),
    ],
)
def test_options_that_cannot_be(saved: dict[str, Path], change: dict[str, Any], text: str) -> None:
    folder = saved["act"]
    with pytest.raises(ParameterError) as error:
        from vla_ros.policies.lerobot.model import LeRobotModel

        LeRobotModel(str(folder), 10.0, **change)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_a_tokenizer_of_the_hub_is_asked_for_as_a_folder(saved: dict[str, Path]) -> None:
    from vla_ros.policies.lerobot.model import LeRobotModel

    with pytest.raises(ParameterError) as error, tiny.sizes("pi0"):
        LeRobotModel(str(saved["pi0"]), 10.0)
    assert "lerobot.tokenizer" in str(error.value)
    assert "paligemma" in str(error.value)
    with pytest.raises(ParameterError, match="lerobot.tokenizer: there is no folder '/nowhere'"):
        LeRobotModel(str(saved["pi0"]), 10.0, tokenizer="/nowhere")


def test_a_tokenizer_in_the_folder_is_found(copy: Callable[[str], Path], saved: dict[str, Path]) -> None:
    from vla_ros.policies.lerobot.model import LeRobotModel

    folder = copy("pi0")
    shutil.copytree(language(saved["pi0"]), folder / "tokenizer")
    with tiny.sizes("pi0"):
        LeRobotModel(str(folder), 10.0).infer(seen("pi0", 0))


def test_a_language_model_that_is_elsewhere_now(copy: Callable[[str], Path], saved: dict[str, Path]) -> None:
    folder = copy("smolvla")
    for name in ("config.json", "policy_preprocessor.json"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace(str(saved["smolvla"]) + ".parts/vlm", "HuggingFaceTB/SmolVLM2-500M"))
    from vla_ros.policies.lerobot.model import LeRobotModel

    with pytest.raises(ParameterError, match="lerobot.tokenizer"):
        LeRobotModel(str(folder), 10.0)
    vlm = saved["smolvla"].with_name("smolvla.parts") / "vlm"
    expected = loaded("smolvla", saved["smolvla"]).infer(seen("smolvla", 0))
    found = LeRobotModel(str(folder), 10.0, tokenizer=str(vlm), seed=7).infer(seen("smolvla", 0))
    np.testing.assert_array_equal(found, expected)


def test_a_family_that_this_lerobot_does_not_know(saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.configs import PreTrainedConfig

    monkeypatch.setattr(PreTrainedConfig, "get_known_choices", classmethod(lambda cls: {}))
    assert "has no policy 'act'" in refused("act", saved["act"])


def test_a_model_that_raises_fails_the_instruction_and_the_next_one_begins_anew(saved: dict[str, Path]) -> None:
    options = from_mapping(
        LeRobotParameters,
        {"checkpoint": str(saved["act"]), "binding": {"rate_hz": 10.0}, "policy_python": sys.executable},
    )
    system2 = LeRobotSystem2(Robot(urdf(), JOINT_NAMES, cameras=tiny.CAMERAS), options)
    state = JointState(1, np.asarray(HOME, np.float64), np.zeros(len(HOME)))

    def planned(number: int, channels: int = 3) -> Any:
        views = {camera: CameraView(np.zeros((96, 96, channels), np.uint8)) for camera in tiny.CAMERAS}
        return system2.plan(Frames(1, views), Instruction(number, "go"), state)

    assert planned(1).state is PlanState.ACTIVE
    broken = planned(2, 5)
    assert broken.state is PlanState.FAILED and broken.reasoning.startswith("the model failed: RuntimeError: ")
    assert planned(3).state is PlanState.ACTIVE


def test_statistics_that_are_not_finite_or_of_another_width_are_refused(copy: Callable[[str], Path]) -> None:
    robot = Robot(urdf(), JOINT_NAMES, cameras=tiny.CAMERAS)
    for spoil, text in (
        (lambda values: values.fill_(float("nan")), "mean"),
        (lambda values: values.resize_(3), "action"),
    ):
        folder = copy("act")
        file = next(folder.glob("policy_postprocessor_step_*_unnormalizer_processor.safetensors"))
        tensors = load_file(file)
        spoil(tensors["action.mean"])
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
        options = from_mapping(LeRobotParameters, {"checkpoint": str(folder), "binding": {"rate_hz": 10.0}})
        with pytest.raises(ParameterError, match=text):
            LeRobotSystem2(robot, options)
        shutil.rmtree(folder)
