"""The implementation equals formulas that were written down apart from it: images, words, network, actions."""

# ruff: noqa: E402  (what comes after importorskip)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("transformers")

from test.models import openvla_folder as made
from test.models import openvla_formulas as formulas
from vla_ros.parameters import from_mapping
from vla_ros.policies.monolithic import Observation
from vla_ros.policies.openvla.model import OpenVlaModel, OpenVlaOftModel
from vla_ros.policies.openvla.openvla_parameters import OpenVlaOftParameters, OpenVlaParameters

PROMPT = "In: What action should the robot take to pick up the red cube?\nOut:"
STATE = np.array([0.5, 0.1, 0.2, 3.0, 0.1, -0.2, 0.5, 0.5])
"""The last two: how far the gripper is open, of 0.04 m and of -0.04 m."""


def _image(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)


def _seen(*names: str, state: Any = None) -> Observation:
    return Observation({name: _image(n) for n, name in enumerate(names)}, state, "Pick up the RED cube", 0, 0.1)


def _model(folder: Path, **options: Any) -> OpenVlaModel:
    settings = {"checkpoint": str(folder), "device": "cpu", "weights": "float32", **options}
    return OpenVlaModel(from_mapping(OpenVlaParameters, settings))


def _oft(folder: Path, **options: Any) -> OpenVlaOftModel:
    settings = {"checkpoint": str(folder), "device": "cpu", "weights": "float32", "center_crop": False, **options}
    return OpenVlaOftModel(from_mapping(OpenVlaOftParameters, settings))


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    return made.published()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, Any]) -> Path:
    return made.write(tmp_path_factory.mktemp("openvla"), weights)


@pytest.fixture(scope="module")
def model(folder: Path) -> OpenVlaModel:
    return _model(folder)


def _ids() -> list[int]:
    """Return the tokens of PROMPT with BOS in front and the blank behind."""
    ids = made.tokenizer().encode(PROMPT, add_special_tokens=False).ids
    return [1, *ids, 29871]


def test_the_prompt_in_tokens(model: OpenVlaModel) -> None:
    assert model._ids("Pick up the RED cube").tolist() == [_ids()]


def test_pixels_are_timms_own_transform(model: OpenVlaModel) -> None:
    seen = model._pixels({"full_image": _image(3)})
    assert seen.shape == (1, 6, made.SIZE, made.SIZE)
    assert torch.allclose(seen, formulas.pixels(_image(3)), atol=1e-6)
    from timm.data import create_transform

    for number, view in enumerate(seen.split(3, dim=1)):
        transform = create_transform(
            (3, made.SIZE, made.SIZE),
            interpolation="bicubic",
            mean=made.MEANS[number],
            std=made.STDS[number],
            crop_pct=1.0,
        )
        from PIL import Image

        square = Image.fromarray(_image(3)).resize((made.SIZE, made.SIZE), Image.Resampling.BICUBIC)
        assert torch.allclose(view[0], transform(square), atol=1e-6)


def test_vision_features_are_timms_layer_before_the_last(model: OpenVlaModel, weights: dict[str, Any]) -> None:
    seen = formulas.pixels(_image(0))
    with torch.inference_mode():
        ours = model._network.vision_backbone(seen)
        theirs = formulas.features(weights, seen)
    assert torch.equal(ours, theirs)
    assert ours.shape == (1, 4, 64 + 96)


def test_the_prompt_embeddings_are_bos_then_patches_then_words(model: OpenVlaModel, weights: dict[str, Any]) -> None:
    seen, ids = formulas.pixels(_image(0)), _ids()
    with torch.inference_mode():
        ours = model._network.prompt_embeddings(torch.tensor([ids]), seen)
        patches = formulas.projected(weights, formulas.features(weights, seen))
        embedded = formulas.words(weights, ids)
    assert torch.equal(ours[:, :1], embedded[:, :1])
    assert torch.allclose(ours[:, 1:5], patches, atol=1e-5)
    assert torch.equal(ours[:, 5:], embedded[:, 1:])


@pytest.mark.parametrize("seed", range(4))
def test_seven_tokens_with_a_cache_are_those_of_seven_passes(
    model: OpenVlaModel, weights: dict[str, Any], seed: int
) -> None:
    seen, ids = formulas.pixels(_image(seed)), _ids()
    with torch.inference_mode():
        theirs = formulas.answered(weights, ids, seen, 7)
    assert list(model._network.next_tokens(torch.tensor([ids]), seen, 7)) == theirs
    assert all(made.FIRST_ACTION <= token <= made.LAST_ACTION for token in theirs)
    assert len(set(theirs)) > 1


def test_the_action_is_the_centre_of_the_bin_in_the_range_of_the_data(
    model: OpenVlaModel, weights: dict[str, Any]
) -> None:
    with torch.inference_mode():
        tokens = formulas.answered(weights, _ids(), formulas.pixels(_image(0)), 7)
    centres = [-1 + (2 * min(31999 - token, 254) + 1) / 255 for token in tokens]
    low, high = made.BRIDGE["action"]["q01"], made.BRIDGE["action"]["q99"]
    wanted = [0.5 * (c + 1) * (b - a) + a for c, a, b in zip(centres, low, high, strict=True)]
    wanted[6] = centres[6]  # the mask leaves the gripper as it is
    action = model.infer(_seen("full_image"))
    assert action.shape == (1, 7)
    assert np.allclose(action[0], wanted, atol=1e-12)
    assert np.array_equal(model.infer(_seen("full_image")), action), "the same picture, the same action"


def test_another_base_of_the_rotary_positions_is_heard(tmp_path: Path, weights: dict[str, Any]) -> None:
    found = _model(made.write(tmp_path, weights, text_config={**made.TEXT, "rope_theta": 100.0}))
    seen, ids = formulas.pixels(_image(0)), _ids()
    with torch.inference_mode():
        theirs = formulas.answered(weights, ids, seen, 7, theta=100.0)
        assert theirs != formulas.answered(weights, ids, seen, 7)
    assert list(found._network.next_tokens(torch.tensor([ids]), seen, 7)) == theirs


def test_the_last_layer_of_vision_is_neither_used_nor_needed(
    tmp_path: Path, model: OpenVlaModel, weights: dict[str, Any]
) -> None:
    last = (".featurizer.blocks.7.", ".fused_featurizer.blocks.8.", "featurizer.norm.", "attn_pool.")
    fewer = {name: tensor for name, tensor in weights.items() if not any(part in name for part in last)}
    assert len(fewer) < len(weights)
    assert np.array_equal(
        _model(made.write(tmp_path, fewer)).infer(_seen("full_image")), model.infer(_seen("full_image"))
    )


def test_oft_predicts_a_chunk_at_once(tmp_path: Path, weights: dict[str, Any]) -> None:
    folder = made.write_oft(tmp_path, tensors=weights)
    found = _oft(folder)
    head = torch.load(folder / "action_head--150000_checkpoint.pt", weights_only=True)
    projector = torch.load(folder / "proprio_projector--150000_checkpoint.pt", weights_only=True)
    low, high = (np.array(made.LIBERO["proprio"][name]) for name in ("q01", "q99"))
    state = np.array([*STATE[:6], 0.02, -0.02])
    normalised = np.clip(2 * (state - low) / (high - low + 1e-8) - 1, -1, 1)
    with torch.inference_mode():
        hidden = torch.tensor(normalised, dtype=torch.float32) @ projector["module.fc1.weight"].T
        hidden = torch.nn.functional.gelu(hidden + projector["module.fc1.bias"])
        proprio = hidden @ projector["module.fc2.weight"].T + projector["module.fc2.bias"]
        views = [formulas.pixels(_lanczos(_image(n))) for n in (0, 1)]
        patches = torch.cat([formulas.projected(weights, formulas.features(weights, view)) for view in views], dim=1)
        states = formulas.oft_states(weights, _ids(), patches, proprio, 56)
        normalised_actions = formulas.l1_head(head, states, 7).double().numpy()
    low, high = (np.array(made.LIBERO["action"][name]) for name in ("q01", "q99"))
    wanted = 0.5 * (normalised_actions + 1) * (high - low + 1e-8) + low
    wanted[:, 6] = normalised_actions[:, 6]
    actions = found.infer(_seen("full_image", "wrist_image", state=STATE))
    assert actions.shape == (8, 7)
    assert np.abs(actions - wanted).max() < 2e-4
    assert np.abs(np.diff(wanted, axis=0)).min() > 1e-4, "the rows differ, so that their order is compared"
    other = _seen("wrist_image", "full_image", state=STATE)
    assert np.abs(found.infer(other) - wanted).max() > 1e-3, "which camera is where matters"
    assert np.abs(found.infer(_seen("full_image", "wrist_image", state=STATE + 0.1)) - wanted).max() > 1e-3


def test_oft_of_two_arms_sees_three_images_and_takes_minimum_and_maximum(
    tmp_path: Path, weights: dict[str, Any]
) -> None:
    low, high = np.linspace(-1.5, -0.5, 14), np.linspace(0.6, 2.0, 14)
    vector = {"min": low.tolist(), "max": high.tolist(), "q01": (low / 2).tolist(), "q99": (high / 2).tolist()}
    statistics = {"aloha": {"action": vector, "proprio": vector}}
    folder = made.write_oft(tmp_path, 14, 14, tensors=weights, dataset_statistics=statistics)
    found = _oft(folder)
    state = np.linspace(-1.0, 1.0, 14)
    head = torch.load(folder / "action_head--150000_checkpoint.pt", weights_only=True)
    projector = torch.load(folder / "proprio_projector--150000_checkpoint.pt", weights_only=True)
    normalised = torch.tensor(np.clip(2 * (state - low) / (high - low + 1e-8) - 1, -1, 1), dtype=torch.float32)
    with torch.inference_mode():
        hidden = normalised @ projector["module.fc1.weight"].T + projector["module.fc1.bias"]
        proprio = torch.nn.functional.gelu(hidden) @ projector["module.fc2.weight"].T + projector["module.fc2.bias"]
        views = [formulas.pixels(_lanczos(_image(n))) for n in range(3)]
        patches = torch.cat([formulas.projected(weights, formulas.features(weights, view)) for view in views], dim=1)
        states = formulas.oft_states(weights, _ids(), patches, proprio, 25 * 14)
        answer = formulas.l1_head(head, states, 14).double().numpy()
    wanted = 0.5 * (answer + 1) * (high - low + 1e-8) + low
    actions = found.infer(_seen("full_image", "left_wrist_image", "right_wrist_image", state=state))
    assert actions.shape == (25, 14)
    assert np.abs(actions - wanted).max() < 1e-3


def test_oft_without_a_head_reads_the_tokens_of_all_positions(tmp_path: Path, weights: dict[str, Any]) -> None:
    folder = made.write(tmp_path, weights, dataset_statistics={"libero": made.LIBERO})
    found = _oft(folder, head="tokens", images=["full_image"])
    with torch.inference_mode():
        seen = formulas.pixels(_lanczos(_image(0)))
        patches = formulas.projected(weights, formulas.features(weights, seen))
        states = formulas.oft_states(weights, _ids(), patches, None, 56)
        tokens = (states @ weights["language_model.lm_head.weight"].T).argmax(-1).tolist()
    centres = np.array([-1 + (2 * min(31999 - token, 254) + 1) / 255 for token in tokens]).reshape(8, 7)
    low, high = (np.array(made.LIBERO["action"][name]) for name in ("q01", "q99"))
    wanted = 0.5 * (centres + 1) * (high - low + 1e-8) + low
    wanted[:, 6] = centres[:, 6]
    assert np.allclose(found.infer(_seen("full_image")), wanted, atol=1e-9)


def test_film_modulates_every_layer_by_the_mean_of_the_words(tmp_path: Path, weights: dict[str, Any]) -> None:
    """γ and β are linear in the mean embedding of BOS, the prompt and the stop token; LoRA is merged."""
    folder = made.write_oft(tmp_path, proprio=0, tensors=weights)
    torch.manual_seed(11)
    parts: dict[str, Any] = {}
    film: dict[str, Any] = {}
    for name, tensor in weights.items():
        if not name.startswith("vision_backbone."):
            continue
        tower, key = name.removeprefix("vision_backbone.").split(".", 1)
        if not key.startswith("blocks."):
            parts[name] = tensor
            continue
        _, number, inner = key.split(".", 2)
        parts[f"vision_backbone.{tower}.blocks.{number}.block.{inner}"] = tensor
        if inner == "attn.qkv.weight":
            width = tensor.shape[1]
            for half in ("scale", "shift"):
                film[f"{tower}.{number}.{half}"] = (torch.randn(width, made.HIDDEN) * 0.05, torch.randn(width) * 0.1)
                kernel, bias = film[f"{tower}.{number}.{half}"]
                parts[f"vision_backbone.{tower}.blocks.{number}.{half}.weight"] = kernel
                parts[f"vision_backbone.{tower}.blocks.{number}.{half}.bias"] = bias
    adapted = "vision_backbone.featurizer.blocks.0.block.mlp.fc1"
    plain = parts.pop(f"{adapted}.weight")
    up, down = torch.randn(plain.shape[0], 32) * 0.1, torch.randn(32, plain.shape[1]) * 0.1
    parts |= {f"{adapted}.base_layer.weight": plain, f"{adapted}.base_layer.bias": parts.pop(f"{adapted}.bias")}
    parts |= {f"{adapted}.lora_A.default.weight": down, f"{adapted}.lora_B.default.weight": up}
    torch.save(parts, folder / "vision_backbone--150000_checkpoint.pt")

    found = _oft(folder, images=["full_image"])
    seen = formulas.pixels(_image(0))
    merged = dict(weights)
    merged["vision_backbone.featurizer.blocks.0.mlp.fc1.weight"] = plain + 16 / 32 * up @ down
    with torch.inference_mode():
        mean = formulas.words(weights, [*_ids(), 2]).mean(dim=1)
        features = []
        towers = zip(
            ("featurizer", "fused_featurizer"), formulas.whole_towers(merged), seen.split(3, dim=1), strict=True
        )
        for name, tower, view in towers:
            x = tower.patch_drop(tower._pos_embed(tower.patch_embed(view)))
            for number, block in enumerate(tower.blocks[:-1]):
                (a, b), (c, d) = film[f"{name}.{number}.scale"], film[f"{name}.{number}.shift"]
                x = x + block.ls1(block.attn(block.norm1(x)))
                x = x * (1 + mean @ a.T + b) + mean @ c.T + d
                x = x + block.ls2(block.mlp(block.norm2(x)))
            features.append(x[:, tower.num_prefix_tokens :])
        wanted = formulas.projected(weights, torch.cat(features, dim=2))
        ours = found._network.prompt_embeddings(torch.tensor([_ids()]), seen)[:, 1:5]
    assert torch.allclose(ours, wanted, atol=1e-3 * float(wanted.abs().max()))
    assert not torch.allclose(wanted, formulas.projected(weights, formulas.features(weights, seen)), atol=0.01)
    assert found.infer(_seen("full_image")).shape == (8, 7)


def _lanczos(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((made.SIZE, made.SIZE), Image.Resampling.LANCZOS))
