"""What of a folder's weights is refused, in one line; fewer bits; nothing is looked up outside."""

# ruff: noqa: E402  (what comes after importorskip)

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file

from test.models import openvla_folder as made
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.monolithic import Observation
from vla_ros.policies.openvla import loading
from vla_ros.policies.openvla.folder import OpenVlaFolder
from vla_ros.policies.openvla.loading import load
from vla_ros.policies.openvla.model import OpenVlaModel, OpenVlaOftModel
from vla_ros.policies.openvla.openvla_parameters import OpenVlaOftParameters, OpenVlaParameters

HEAD = "action_head--150000_checkpoint.pt"
PROJECTOR = "proprio_projector--150000_checkpoint.pt"
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def _model(folder: Path, **options: Any) -> OpenVlaModel:
    settings = {"checkpoint": str(folder), "device": "cpu", "weights": "float32", **options}
    return OpenVlaModel(from_mapping(OpenVlaParameters, settings))


def _oft(folder: Path, **options: Any) -> OpenVlaOftModel:
    settings = {"checkpoint": str(folder), "device": "cpu", "weights": "float32", **options}
    return OpenVlaOftModel(from_mapping(OpenVlaOftParameters, settings))


def _changed(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Change one tensor of a folder; None takes it away."""
    path = OpenVlaFolder(str(folder)).weights[name]
    tensors = load_file(path)
    tensors[name] = change(tensors[name])
    save_file({key: value.contiguous() for key, value in tensors.items() if value is not None}, path)


def _set(tensor: Any, value: float) -> Any:
    tensor.view(-1)[7] = value
    return tensor


NORM = "language_model.model.norm.weight"
PATCH = "vision_backbone.featurizer.patch_embed.proj.weight"


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (NORM, lambda t: _set(t, float("nan")), f"{NORM} holds weights that are not finite"),
        (PATCH, lambda t: _set(t, float("inf")), f"{PATCH} holds weights that are not finite"),
        (NORM, lambda t: t[:-1], rf"{NORM} has shape \[63\], but config.json makes it \[64\]"),
        (NORM, lambda t: t.to(torch.int32), f"{NORM} is of torch.int32, not of floating-point numbers"),
    ],
)
def test_a_broken_tensor_is_named(tmp_path: Path, name: str, change: Callable[[Any], Any], said: str) -> None:
    folder = made.write(tmp_path)
    _changed(folder, name, change)
    with pytest.raises(ParameterError, match=said) as error:
        _model(folder)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    weights = made.published()
    fewer = {name: tensor for name, tensor in weights.items() if ".layers.1." not in name}
    with pytest.raises(ParameterError, match=r"9 of \d+ tensors missing, e.g. language_model.model.layers.1\."):
        _model(made.write(tmp_path / "fewer", fewer))
    with pytest.raises(ParameterError, match="holds language_model.adapter, which this architecture does not"):
        _model(made.write(tmp_path / "more", {**weights, "language_model.adapter": torch.zeros(3)}))
    with pytest.raises(
        ParameterError, match=r"holds language_model.model.layers.2\..*, which this architecture does not have"
    ):
        _model(made.write(tmp_path / "deeper", weights, text_config={**made.TEXT, "num_hidden_layers": 2}))
    with pytest.raises(ParameterError, match="timm .* cannot make 'vit_of_nobody'"):
        _model(made.write(tmp_path / "vit", weights, timm_model_ids=["vit_of_nobody", "test_vit3"]))
    with pytest.raises(ParameterError, match="'resnet18' is no vision transformer|cannot make 'resnet18'"):
        _model(made.write(tmp_path / "conv", weights, timm_model_ids=["resnet18", "test_vit3"]))


def test_sizes_that_make_no_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"config\.json: makes no network"):
        _model(
            made.write(tmp_path / "heads", text_config={**made.TEXT, "num_attention_heads": 3, "hidden_act": "none"})
        )


def test_too_little_memory_is_told_with_what_takes_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 86.00 MiB.\nGPU 0 has ...")

    monkeypatch.setattr(loading, "_assign", full)
    with pytest.raises(ParameterError, match="cpu has too little memory for float32 weights; int8 takes about half"):
        _model(made.write(tmp_path))


def test_an_instruction_without_end_is_refused(tmp_path: Path) -> None:
    found = _model(made.write(tmp_path))
    with pytest.raises(ValueError, match=r"the instruction has \d+ tokens, the model reads 2035"):
        found.infer(Observation({"full_image": IMAGE}, None, "x y z " * 2000, 0, 0.1))


def test_a_tokenizer_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = made.write(tmp_path)
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(ParameterError, match=r"tokenizer\.json: no tokenizer"):
        _model(folder)


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("run by a pickle",))


def test_a_pickle_that_runs_something_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made.write_oft(tmp_path)
    torch.save({"model.fc1.weight": Evil()}, folder / HEAD)
    with pytest.raises(ParameterError, match=f"{HEAD}: holds no tensors alone"):
        _oft(folder)
    (folder / HEAD).write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ParameterError, match=f"{HEAD}: holds no tensors alone"):
        _oft(folder)
    assert "run by a pickle" not in capsys.readouterr().out


def test_parts_of_other_models_are_refused(tmp_path: Path) -> None:
    folder = made.write_oft(tmp_path)
    whole = {name: (folder / name).read_bytes() for name in (HEAD, PROJECTOR)}
    head = torch.load(folder / HEAD, weights_only=True)
    projector = torch.load(folder / PROJECTOR, weights_only=True)
    nan = {**head, "module.model.fc2.bias": torch.full((7,), float("nan"))}
    wide = {**head, "module.model.fc1.weight": torch.zeros(64, 100)}
    narrow = made.write_oft(tmp_path / "six", action=6)
    for name, content, said in (
        (HEAD, nan, "model.fc2.bias holds weights that are not finite"),
        (HEAD, wide, "reads 100 values, not 7 x 64"),
        (HEAD, {"noise_predictor.mlp_resnet.fc1.weight": torch.zeros(2)}, "is a diffusion head"),
        (HEAD, {"something": torch.zeros(2)}, "is no L1 head"),
        (HEAD, {k: v for k, v in head.items() if "layer_norm1" not in k}, "does not fit: .*layer_norm1"),
        (HEAD, [1, 2], "expected a mapping of tensors, got list"),
        (HEAD, torch.load(narrow / HEAD, weights_only=True), "the action head gives 6 values, the statistics have 7"),
        (PROJECTOR, {"fc1.weight": torch.zeros(3, 8)}, "its fc1 does not lead to 64 values"),
        (
            PROJECTOR,
            {**projector, "module.fc1.weight": torch.zeros(64, 14)},
            "proprio_projector reads 14 values, the statistics have 8",
        ),
    ):
        torch.save(content, folder / name)
        with pytest.raises(ParameterError, match=said) as error:
            _oft(folder)
        assert "\n" not in str(error.value)
        (folder / name).write_bytes(whole[name])
    (folder / HEAD).write_bytes(whole[HEAD][:-40])
    with pytest.raises(ParameterError, match=HEAD):
        _oft(folder)
    (folder / HEAD).unlink()
    with pytest.raises(ParameterError, match="has no action_head.*openvla_oft.head: tokens"):
        _oft(folder)


def _bytes(tensor: Any) -> int:
    """Return what a tensor takes, also one that is made of others."""
    parts = getattr(tensor, "__tensor_flatten__", None)
    if parts is None:
        return int(tensor.numel() * tensor.element_size())
    return sum(_bytes(getattr(tensor, name)) for name in parts()[0])


@pytest.mark.parametrize(("weights", "module", "bound"), [("int8", "torchao", 0.01), ("nf4", "bitsandbytes", 0.12)])
def test_fewer_bits_stay_near_and_take_less_memory(tmp_path: Path, weights: str, module: str, bound: float) -> None:
    pytest.importorskip(module)
    folder = OpenVlaFolder(str(made.write(tmp_path)))
    exact, small = load(folder, "cpu", "bfloat16"), load(folder, "cpu", weights)
    wide = dict(exact.language_model.model.named_modules())
    held = {
        name: linear for name, linear in small.language_model.model.named_modules() if hasattr(linear, "in_features")
    }
    assert len(held) == 21  # seven in each of three layers
    generator = torch.Generator().manual_seed(1)
    for name, linear in held.items():
        x = torch.randn(1, 5, linear.in_features, generator=generator).bfloat16()
        with torch.inference_mode():
            wanted, found = wide[name](x).float(), linear(x).float()
        assert 0 < float((wanted - found).norm() / wanted.norm()) < bound
        assert _bytes(linear.weight) <= linear.in_features * linear.out_features * (1.2 if weights == "int8" else 0.5)
    for name, tensor in small.state_dict().items():  # the rest is as it was
        if name in exact.state_dict() and ".layers." not in name:
            assert torch.equal(tensor, exact.state_dict()[name])
    ids, seen = torch.tensor([[1, 300, 310, 29871]]), torch.zeros(1, 6, made.SIZE, made.SIZE).bfloat16()
    assert len(small.next_tokens(ids, seen, 7)) == 7


def test_a_library_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made.write(tmp_path)
    for weights, module in (("int8", "torchao.quantization"), ("nf4", "bitsandbytes.nn")):
        monkeypatch.setitem(__import__("sys").modules, module, None)
        with pytest.raises(ParameterError, match=f"weights: {weights} needs {module.split('.')[0]}: pip install"):
            _model(folder, weights=weights)


def test_nothing_is_looked_up_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection was opened")

    folder = made.write(tmp_path)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    found = _model(folder)
    assert found.infer(Observation({"full_image": IMAGE}, None, "go", 0, 0.1)).shape == (1, 7)


def test_bfloat16_is_near_float32(tmp_path: Path) -> None:
    folder = OpenVlaFolder(str(made.write(tmp_path, dtype=torch.bfloat16)))
    ids = torch.tensor([[1, 300, 310, 29871]])
    seen = torch.randn(1, 6, made.SIZE, made.SIZE, generator=torch.Generator().manual_seed(1))
    exact = load(folder, "cpu", "float32").action_states(ids, seen, None, 14)
    half = load(folder, "cpu", "bfloat16").action_states(ids, seen.bfloat16(), None, 14)
    assert half.dtype == torch.bfloat16
    assert float((exact - half.float()).norm() / exact.norm()) < 0.05
