"""The weights of a folder into the network: tensor by tensor, so that the host never holds the model twice."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from vla_ros.parameters import ParameterError
from vla_ros.policies.openvla.folder import OpenVlaFolder
from vla_ros.policies.openvla.heads import ActionHead, ProprioProjector
from vla_ros.policies.openvla.network import OpenVlaNetwork
from vla_ros.policies.openvla.quantization import DTYPES, quantized

VISION = "vision_backbone."
UNUSED = re.compile(
    r"vision_backbone\.(fused_)?featurizer\.(norm|fc_norm|attn_pool|head|head_drop)\.|.*rotary_emb\.inv_freq$"
)
"""Weights that published files hold and the answer does not depend on: behind the layer before the last."""
LORA_ALPHA = 16
"""OFT trains with this, or with the rank where that is smaller.

Source: moojink/openvla-oft (213c5ff), vla-scripts/finetune.py."""


def load(folder: OpenVlaFolder, device: str, weights: str) -> OpenVlaNetwork:
    """Return the network of a folder, ready to answer.

    Args:
        folder: the checkpoint.
        device: as torch names it.
        weights: one of `openvla_parameters.WEIGHTS`.

    Raises:
        ParameterError: the configuration makes no network; a tensor is missing, surplus, of another shape or not finite; the
            device has too little memory; or a library is not installed.
    """
    film = "vision_backbone" in folder.components
    try:
        with torch.device("meta"):
            network = OpenVlaNetwork(folder.config, film)
    except ParameterError:
        raise
    except Exception as error:  # transformers and torch check the sizes, each in its own way
        reason = " ".join(str(error).split())[:160]
        raise ParameterError(f"{folder.path / 'config.json'}: makes no network: {reason}") from None
    network.eval().requires_grad_(False)
    try:
        _fill_network(network, folder, device, weights)
        with torch.device(device):  # no file holds its buffers; it keeps fp32 whatever the weights are
            network.language_model.model.rotary_emb = LlamaRotaryEmbedding(network.language_model.config)
        network.action_head = _action_head(folder, device, DTYPES[weights])
        network.proprio_projector = _proprio_projector(folder, device, DTYPES[weights])
    except torch.OutOfMemoryError:
        raise ParameterError(
            f"{folder.path}: {device} has too little memory for {weights} weights; "
            "int8 takes about half of bfloat16, nf4 a third"
        ) from None
    return network


def _fill_network(network: OpenVlaNetwork, folder: OpenVlaFolder, device: str, weights: str) -> None:
    film = network.film
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    last = {f"{VISION}{name}.blocks.{len(tower.blocks)}." for name, tower in network.vision_backbone.named_children()}
    missing = set(wanted)
    for name, tensor, path in _tensors(folder, film):
        if name not in wanted:
            if UNUSED.match(name) or any(name.startswith(prefix) for prefix in last):
                continue
            raise ParameterError(
                f"{path}: holds {name}, which this architecture does not have; its config.json is another model's"
            )
        if tuple(tensor.shape) != wanted[name]:
            raise ParameterError(
                f"{path}: {name} has shape {list(tensor.shape)}, but config.json makes it {list(wanted[name])}"
            )
        _assign(network, name, checked(tensor, name, path).to(device, DTYPES[weights], copy=True))
        missing.discard(name)
        quantized(network, name, weights)
    if missing:
        some = ", ".join(sorted(missing)[:3])
        raise ParameterError(
            f"{folder.path}: {len(missing)} of {len(wanted)} tensors missing, e.g. {some}; download it again"
        )


def checked(tensor: Tensor, name: str, path: Path) -> Tensor:
    """Return the tensor. Raises ParameterError: it holds no finite numbers."""
    if not tensor.is_floating_point():
        raise ParameterError(f"{path}: {name} is of {tensor.dtype}, not of floating-point numbers")
    if not torch.isfinite(tensor).all():
        raise ParameterError(
            f"{path}: {name} holds weights that are not finite; its training diverged, or the file is broken"
        )
    return tensor


def component(path: Path) -> dict[str, Tensor]:
    """Return the tensors of one of OFT's own files. Nothing but tensors is unpickled.

    Raises:
        ParameterError: the file is cut off, or holds anything else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ParameterError(f"{path}: holds no tensors alone ({reason[:120]}); download it again") from None
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ParameterError(f"{path}: expected a mapping of tensors, got {type(content).__name__}")
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def merged(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights W + (alpha / r) B A for those that a LoRA adapter (A, B of rank r) changes; the others as they are."""
    result = {}
    for name, tensor in tensors.items():
        if ".lora_" in name:
            continue
        plain = name.replace(".base_layer.", ".")
        stem = name.removesuffix(".base_layer.weight")
        down, up = (tensors.get(f"{stem}.lora_{side}.default.weight") for side in "AB")
        if stem != name and down is not None and up is not None:
            rank = down.shape[0]
            change = up.float() @ down.float() * (min(rank, LORA_ALPHA) / rank)
            result[plain] = (tensor.float() + change).to(tensor.dtype)
        else:
            result[plain] = tensor
    return result


def _tensors(folder: OpenVlaFolder, film: bool) -> Iterator[tuple[str, Tensor, Path]]:
    """Yield the network's name of each tensor, the tensor and its file."""
    of_file: dict[Path, list[str]] = {}
    for name, path in folder.weights.items():
        of_file.setdefault(path, []).append(name)
    for path, names in of_file.items():
        try:
            with safe_open(path, "pt") as file:
                for name in names:
                    if not (film and name.startswith(VISION)):
                        yield _ours(name), file.get_tensor(name), path
        except SafetensorError as error:
            raise ParameterError(f"{path}: {error}; download the checkpoint again") from None
    if film:
        path = folder.components["vision_backbone"]
        for name, tensor in merged(component(path)).items():
            yield _ours(name), tensor, path


def _ours(name: str) -> str:
    """Return timm's name of a LayerScale, which the published files call `scale_factor`: transformers reserves `gamma`."""
    return re.sub(r"\.scale_factor$", ".gamma", name)


def _assign(network: nn.Module, name: str, tensor: Tensor) -> None:
    where, _, attribute = name.rpartition(".")
    module = network.get_submodule(where)
    if attribute in module._parameters:
        module._parameters[attribute] = nn.Parameter(tensor, requires_grad=False)
    else:
        module._buffers[attribute] = tensor


def _action_head(folder: OpenVlaFolder, device: str, dtype: torch.dtype) -> ActionHead | None:
    if (path := folder.components.get("action_head")) is None:
        return None
    tensors = component(path)
    hidden = int(folder.config.text["hidden_size"])
    try:
        width, inputs = tensors["model.fc1.weight"].shape
        action = tensors["model.fc2.weight"].shape[0]
    except (KeyError, ValueError):
        kind = "a diffusion head" if any(name.startswith("noise_predictor") for name in tensors) else "no L1 head"
        raise ParameterError(f"{path}: is {kind}; only OFT's L1 head is played") from None
    if inputs != hidden * action:
        raise ParameterError(f"{path}: reads {inputs} values, not {action} x {hidden}; it belongs to another model")
    layers = len({name.split(".")[2] for name in tensors if name.startswith("model.mlp_resnet_blocks.")})
    head = ActionHead(hidden, action, width, layers)
    _fill(head, tensors, path)
    head.to(device, dtype)
    return head


def _proprio_projector(folder: OpenVlaFolder, device: str, dtype: torch.dtype) -> ProprioProjector | None:
    if (path := folder.components.get("proprio_projector")) is None:
        return None
    tensors = component(path)
    first = tensors.get("fc1.weight")
    hidden = int(folder.config.text["hidden_size"])
    if first is None or first.ndim != 2 or first.shape[0] != hidden:
        raise ParameterError(f"{path}: its fc1 does not lead to {hidden} values; it belongs to another model")
    projector = ProprioProjector(first.shape[1], hidden)
    _fill(projector, tensors, path)
    projector.to(device, dtype)
    return projector


def _fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    for name, tensor in tensors.items():
        checked(tensor, name, path)
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise ParameterError(f"{path}: does not fit: {' '.join(str(error).split())[:200]}") from None
    module.eval().requires_grad_(False)
