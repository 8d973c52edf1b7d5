"""A real transformers model in a process of its own: tiny and random, so it answers nonsense; the arm holds and says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file, save_file

from test.models.tiny_vlm import MODELS
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import Instruction, JointState, PlanState
from vla_ros.policies.registry import Robot, system2
from vla_ros.policies.vlm.asking import VlmRequest, VlmUnavailable
from vla_ros.policies.vlm.local import LocalModel
from vla_ros.policies.vlm.system2 import VlmSystem2
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES)
RNG = np.random.default_rng(0)
IMAGES = {name: RNG.integers(0, 256, (48, 64, 3), np.uint8) for name in ("front", "wrist")}


@pytest.fixture(scope="module", params=MODELS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MODELS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def model(folder: Path) -> Iterator[LocalModel]:
    made = LocalModel(VlmParameters(folder=str(folder), max_tokens=24))
    yield made
    made.close()


def test_it_answers_with_any_number_of_images_and_always_the_same(model: LocalModel) -> None:
    for count in (1, 2):
        request = VlmRequest("what is there?", dict(list(IMAGES.items())[:count]))
        first, second = (model.answer(request, threading.Event()) for _ in range(2))
        assert first == second


def test_the_image_makes_a_difference(folder: Path, model: LocalModel) -> None:
    """A random model need not say so in words: its logits do."""
    from vla_ros.policies.vlm.local_child import load

    loaded, processor = load(str(folder), "cpu", 0)
    logits = []
    for image in IMAGES.values():
        inputs = processor(text=["<image> what is there?"], images=[[image]], return_tensors="pt")
        with torch.inference_mode():
            logits.append(loaded(**inputs).logits[0, -1])
    assert not torch.equal(*logits)


def test_its_nonsense_is_a_line_the_arm_holds_and_the_instruction_fails(folder: Path) -> None:
    parameters = VlmParameters(folder=str(folder), max_tokens=24, rate_hz=10.0, max_bad_answers=2)
    planner = VlmSystem2(system2("classical", ROBOT), ROBOT, object(), parameters, lambda text: "")
    frames = {name: CameraView(image) for name, image in IMAGES.items()}
    state = JointState(0, HOME, np.zeros_like(HOME))
    end_s, plans, slowest_s = time.monotonic() + 180.0, [], 0.0
    while time.monotonic() < end_s:
        began_s = time.monotonic()
        told = planner.plan(Frames(time.monotonic_ns(), frames), Instruction(1, "put the red cube in the bowl"), state)
        slowest_s = max(slowest_s, time.monotonic() - began_s)
        plans.append(told)
        if told.state is not PlanState.HOLD:
            break
        time.sleep(0.05)
    planner.close()
    assert plans[-1].state is PlanState.FAILED
    assert plans[-1].reasoning.startswith("2 answers of the VLM were not usable: the VLM's answer is not usable: ")
    assert "\n" not in plans[-1].reasoning
    assert {each.state for each in plans[:-1]} == {PlanState.HOLD}
    assert slowest_s < 1.0  # loading and thinking happen elsewhere


def refused(folder: Path) -> str:
    model = LocalModel(VlmParameters(folder=str(folder)))
    with pytest.raises(VlmUnavailable) as error:
        model.answer(VlmRequest("x", IMAGES), threading.Event())
    model.close()
    assert error.value.lasting and "\n" not in str(error.value)
    return str(error.value)


def test_weights_that_are_not_finite_or_missing_are_named(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    name = next(name for name in weights if "mlp" in name and weights[name].ndim == 2)
    save_file(
        {**weights, name: torch.full_like(weights[name], torch.nan)}, tmp_path / "model.safetensors", {"format": "pt"}
    )
    assert "is not finite" in refused(tmp_path)
    save_file(
        {key: value for key, value in weights.items() if key != name}, tmp_path / "model.safetensors", {"format": "pt"}
    )
    assert "weights are missing" in refused(tmp_path)


def test_a_model_of_text_alone_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    assert "the VLM in" in refused(tmp_path)
