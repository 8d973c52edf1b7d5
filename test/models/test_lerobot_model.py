"""Any LeRobot folder plays as LeRobot itself would play it: to the bit, with its memory and its real-time chunking."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lerobot")

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.policies.rtc import RTCConfig
from lerobot.policies.utils import prepare_observation_for_inference

from test.models import tiny
from vla_ros.parameters import ParameterError
from vla_ros.policies.chunk_model import Observation
from vla_ros.policies.lerobot.model import LeRobotModel

RATE_HZ = 10.0
PERIOD_NS = 100_000_000
SEED = 7
GUIDED = ("evo1", "groot", "pi0", "pi05", "smolvla")
TOKENIZERS = {
    "groot": ("groot_n1_7_vlm_encode_v1", "model_name"),
    "pi0_fast": ("action_tokenizer_processor", "paligemma_tokenizer_name"),
}
"""Family → step of the preprocessor that reads the tokenizer, and its option."""
REMEMBERING = ("diffusion", "multi_task_dit", "tdmpc", "vqbet")
"""Families that LeRobot gives a queue of observations, which `select_action` fills."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function family → folder, made once."""
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = tiny.save(family, tmp_path_factory.mktemp(family) / "policy")
        return made[family]

    return folder


def language(folder: Path) -> str:
    """Return the folder of the tokenizer, where the checkpoint names the hub's."""
    parts = folder.with_name(f"{folder.name}.parts") / "tokenizer"
    return str(parts) if parts.is_dir() else ""


def seen(family: str, number: int, delay_s: float = 0.0) -> Observation:
    """Return the observation of a moment."""
    random = np.random.default_rng(number)
    side = tiny.SIDE
    images = {name: random.integers(0, 256, (side, side, 3), np.uint8) for name in tiny.image_inputs(family)}
    mean = tiny.statistics()["observation.state"]["mean"]
    state = mean + random.normal(0.0, 0.05, tiny.WIDTH)
    return Observation(images, state, "put the red cube in the bowl", number * PERIOD_NS, delay_s)


class Reference:
    """LeRobot's own loading and calls."""

    def __init__(self, family: str, folder: Path) -> None:
        config = PreTrainedConfig.from_pretrained(folder)
        config.device = "cpu"
        self.policy = get_policy_class(config.type).from_pretrained(folder, config=config)
        with torch.no_grad():  # what maps a file is unaligned, which changes the last bit
            for parameter in self.policy.parameters():
                parameter.data = parameter.data.clone()
        step, key = TOKENIZERS.get(family, ("tokenizer_processor", "tokenizer_name"))
        overrides = {step: {key: language(folder)}} if language(folder) else {}
        self.pre, self.post = make_pre_post_processors(config, str(folder), preprocessor_overrides=overrides)
        self.family = family

    def batch(self, observation: Observation) -> dict[str, Any]:
        frame: dict[str, Any] = dict(observation.images)
        frame["observation.state"] = np.asarray(observation.state, np.float32)
        frame = prepare_observation_for_inference(frame, torch.device("cpu"), observation.instruction)
        return dict(self.pre(frame | {"task": [observation.instruction]}))

    def chunk(self, observation: Observation, **guidance: Any) -> tuple[Any, np.ndarray]:
        """Return the model's chunk (T, width), and the actions made of it."""
        torch.manual_seed(SEED)
        with torch.no_grad():
            if self.family == "lingbot_va":
                first = self.policy.select_action(self.batch(observation))
                chunk = torch.stack([first, *self.policy._action_queue], dim=1)
            elif self.family in REMEMBERING:  # the first action leaves the queue, the others stay
                queue = self.policy._queues["action"]
                queue.clear()
                first = self.policy.select_action(self.batch(observation))
                chunk = torch.stack([first, *queue], dim=1)
            else:
                chunk = self.policy.predict_action_chunk(self.batch(observation), **guidance)
            return chunk[0], self.post(chunk)[0].numpy()


def loaded(family: str, folder: Path, **options: Any) -> LeRobotModel:
    with tiny.sizes(family):
        return LeRobotModel(str(folder), RATE_HZ, tokenizer=language(folder), seed=SEED, device="cpu", **options)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_it_plays_what_lerobot_plays(family: str, folders: Any) -> None:
    model = loaded(family, folders(family), real_time_chunking=False)
    with tiny.sizes(family):
        reference = Reference(family, folders(family))
    assert model.contract.family == family
    chunks = []
    for number in range(6):
        expected = reference.chunk(seen(family, number))[1]
        chunks.append(model.infer(seen(family, number)))
        np.testing.assert_array_equal(chunks[-1][: len(expected)].astype(np.float32), expected)
        assert chunks[-1].shape[1] == tiny.WIDTH
    assert not np.array_equal(chunks[0], chunks[1])  # it looks
    model.reset()
    again = model.infer(seen(family, 0))
    np.testing.assert_array_equal(again, chunks[0])


@pytest.mark.parametrize("family", ["diffusion", "multi_task_dit", "vqbet"])
def test_a_policy_with_a_memory_sees_what_was_before(family: str, folders: Any) -> None:
    model = loaded(family, folders(family))
    fresh = model.infer(seen(family, 1))
    model.reset()
    model.infer(seen(family, 0))
    assert not np.array_equal(model.infer(seen(family, 1)), fresh)


@pytest.mark.parametrize("family", GUIDED)
def test_a_chunk_is_guided_by_the_one_before_it(family: str, folders: Any) -> None:
    model = loaded(family, folders(family), execution_horizon=6)
    assert model.guided
    with tiny.sizes(family):
        reference = Reference(family, folders(family))
    reference.policy.config.rtc_config = RTCConfig(enabled=True, execution_horizon=6)
    if family != "groot":  # which guides by itself
        reference.policy.init_rtc_processor()
    first, actions = reference.chunk(seen(family, 0))
    np.testing.assert_array_equal(model.infer(seen(family, 0)).astype(np.float32), actions)
    delay_s = 0.15
    guidance = {"inference_delay": math.ceil(delay_s * RATE_HZ), "prev_chunk_left_over": first[3:]}
    expected = reference.chunk(seen(family, 3), **guidance)[1]
    np.testing.assert_array_equal(model.infer(seen(family, 3, delay_s)).astype(np.float32), expected)
    unguided = reference.chunk(seen(family, 3))[1]
    committed = slice(0, 2)
    before = actions[3:5]
    assert np.abs(expected[committed] - before).max() < 0.5 * np.abs(unguided[committed] - before).max()


@pytest.mark.parametrize("family", GUIDED)
def test_a_chunk_that_is_over_guides_nothing(family: str, folders: Any) -> None:
    model = loaded(family, folders(family))
    model.infer(seen(family, 0))
    late = model.infer(seen(family, 500, 0.1))
    model.reset()
    np.testing.assert_array_equal(late, model.infer(seen(family, 500, 0.1)))


@pytest.mark.parametrize("family", ["act", "diffusion"])
def test_policies_without_real_time_chunking_say_so(family: str, folders: Any) -> None:
    assert not loaded(family, folders(family)).guided


def test_noise_is_the_seeds(folders: Any) -> None:
    folder = folders("diffusion")
    chunks = [LeRobotModel(str(folder), RATE_HZ, seed=seed).infer(seen("diffusion", 0)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(chunks[0], chunks[1])
    assert not np.array_equal(chunks[0], chunks[2])
    model = LeRobotModel(str(folder), RATE_HZ, seed=-1)
    assert not np.array_equal(model.infer(seen("diffusion", 0)), model.infer(seen("diffusion", 0)))


def test_the_state_of_torch_is_left_as_it_was(folders: Any) -> None:
    model = loaded("diffusion", folders("diffusion"))
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    model.infer(seen("diffusion", 0))
    assert torch.equal(torch.rand(4), expected)


def test_images_are_resized_for_policies_that_do_not(folders: Any) -> None:
    model = loaded("act", folders("act"))
    small = seen("act", 0)
    large = {name: np.repeat(np.repeat(image, 2, axis=0), 2, axis=1) for name, image in small.images.items()}
    chunk = model.infer(Observation(large, small.state, small.instruction, 0, 0.0))
    np.testing.assert_array_equal(chunk, model.infer(small))  # the mean of four equal pixels


def test_the_instruction_is_read_by_policies_with_words(folders: Any) -> None:
    model = loaded("smolvla", folders("smolvla"), real_time_chunking=False)
    first = seen("smolvla", 0)
    other = Observation(first.images, first.state, "push the green ball to the left", 0, 0.0)
    assert not np.array_equal(model.infer(first), model.infer(other))


def test_options_of_the_configuration_can_be_changed(folders: Any) -> None:
    folder = folders("diffusion")
    model = loaded("diffusion", folder, config=["num_inference_steps=2"])
    assert model.policy.config.num_inference_steps == 2
    assert model.checkpoint != loaded("diffusion", folder).checkpoint
    assert loaded("diffusion", folder).checkpoint == loaded("diffusion", folder).checkpoint


def test_bfloat16_is_another_precision_and_nearly_the_same(folders: Any) -> None:
    exact = loaded("act", folders("act")).infer(seen("act", 0))
    rough = loaded("act", folders("act"), precision="bfloat16").infer(seen("act", 0))
    assert 0.0 < np.abs(exact - rough).max() < 0.02


def test_a_vlm_that_was_loaded_as_bfloat16_stays_so(tmp_path: Path) -> None:
    """SmolVLA folders that were fine-tuned say load_vlm_weights: LeRobot then holds the language model in bfloat16."""
    from transformers import AutoConfig, SmolVLMForConditionalGeneration

    tiny.smolvlm(tmp_path / "p.parts" / "vlm")
    torch.manual_seed(5)
    vlm = SmolVLMForConditionalGeneration(AutoConfig.from_pretrained(tmp_path / "p.parts" / "vlm"))
    vlm.to(torch.bfloat16).save_pretrained(tmp_path / "p.parts" / "vlm")
    folder = tiny.save("smolvla", tmp_path / "p", load_vlm_weights=True)
    expected = Reference("smolvla", folder).chunk(seen("smolvla", 0))[1]
    (tmp_path / "p.parts" / "vlm" / "model.safetensors").unlink()  # the checkpoint has them
    model = loaded("smolvla", folder)
    assert model.policy.model.vlm_with_expert.vlm.dtype is torch.bfloat16
    np.testing.assert_array_equal(model.infer(seen("smolvla", 0)).astype(np.float32), expected)


def test_offsets_from_the_state_become_targets_and_guide_from_where_the_arm_is_now(tmp_path: Path) -> None:
    """The model's values are offsets from a state: those of an older chunk mean something else now."""
    folder = tiny.save("pi0", tmp_path / "p", use_relative_actions=True, relative_exclude_joints=[])
    model = loaded("pi0", folder, real_time_chunking=False)
    with tiny.sizes("pi0"):
        reference = Reference("pi0", folder)
    first = reference.chunk(seen("pi0", 0))[1]
    np.testing.assert_array_equal(model.infer(seen("pi0", 0)).astype(np.float32), first)
    guided = loaded("pi0", folder, execution_horizon=6)
    before = guided.infer(seen("pi0", 0))[3:5]
    after = guided.infer(seen("pi0", 3, 0.15))[:2]
    alone = model.infer(seen("pi0", 3))[:2]
    assert np.abs(after - before).max() < 0.5 * np.abs(alone - before).max()


def test_an_adapter_is_merged_into_its_base(folders: Any, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    base = folders("act")
    policy = get_policy_class("act").from_pretrained(base)
    torch.manual_seed(2)
    options = peft.LoraConfig(r=4, target_modules=["linear1", "linear2"], init_lora_weights=False)
    adapted = peft.get_peft_model(policy, options)
    adapted.save_pretrained(tmp_path)
    for path in base.glob("policy_*"):
        shutil.copy(path, tmp_path)
    config = json.loads((base / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "use_peft": True}))
    (tmp_path / "model.safetensors").unlink(missing_ok=True)
    adapter = json.loads((tmp_path / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps({**adapter, "base_model_name_or_path": str(base)}))
    reference = Reference("act", base)
    reference.policy = adapted.merge_and_unload().eval()
    expected = reference.chunk(seen("act", 0))[1]
    plain = loaded("act", base).infer(seen("act", 0))
    chunk = loaded("act", tmp_path).infer(seen("act", 0))
    np.testing.assert_array_equal(chunk.astype(np.float32), expected)
    assert np.abs(chunk - plain).max() > 1e-4
    (tmp_path / "adapter_config.json").write_text(json.dumps({**adapter, "base_model_name_or_path": "hub/base"}))
    with pytest.raises(ParameterError, match="an adapter of 'hub/base', which is no folder here"):
        loaded("act", tmp_path)


def test_temporal_ensembling_is_that_of_lerobot(tmp_path: Path) -> None:
    folder = tiny.save("act", tmp_path / "policy", temporal_ensemble_coeff=0.1, n_action_steps=1)
    reference, model = Reference("act", folder), loaded("act", folder)
    for number in range(12):  # more than the chunk has rows
        observation = seen("act", number)
        with torch.no_grad():
            action = reference.post(reference.policy.select_action(reference.batch(observation)))[0].numpy()
        np.testing.assert_allclose(model.infer(observation)[0], action, rtol=0.0, atol=1e-6)
    model.reset()
    assert not np.allclose(model.infer(seen("act", 12))[0], action, rtol=0.0, atol=1e-6)
