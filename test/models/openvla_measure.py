"""Measures what `weights` costs: OpenVLA's real widths and vision, random weights, two layers of the language model.

    python -m test.models.openvla_measure bfloat16 int8 nf4

prints memory, time and error of a layer, and what 32 layers take. It writes 2.9 GB into a temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from test.models import openvla_folder as made
from vla_ros.policies.openvla.folder import OpenVlaFolder
from vla_ros.policies.openvla.folder_config import folder_config
from vla_ros.policies.openvla.loading import load
from vla_ros.policies.openvla.network import OpenVlaNetwork

LAYERS, WHOLE = 2, 32
TOKENS = 286  # 256 patches and a sentence


def write(folder: Path) -> OpenVlaFolder:
    """Write a folder like openvla-7b with fewer layers."""
    made.write(
        folder,
        {"projector.fc1.bias": torch.zeros(1)},
        image_sizes=[224, 224],
        timm_model_ids=["vit_large_patch14_reg4_dinov2.lvd142m", "vit_so400m_patch14_siglip_224"],
        text_config={"model_type": "llama", "vocab_size": made.VOCABULARY, "num_hidden_layers": LAYERS},
    )
    for path in [*folder.glob("*.safetensors*"), folder / "preprocessor_config.json"]:
        path.unlink()
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in OpenVlaNetwork(folder_config(folder)).state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, shape in shapes.items():
        tensor = torch.empty(shape, dtype=torch.bfloat16)
        scale = ("norm" in name and name.endswith("weight")) or name.endswith("gamma")
        fixed = len(shape) == 1
        tensors[name.replace(".gamma", ".scale_factor")] = (
            tensor.fill_(float(scale)) if fixed else tensor.normal_(0, 0.02, generator=generator)
        )
    save_file(tensors, folder / "model.safetensors")
    return OpenVlaFolder(str(folder))


def size(tensor: Any) -> int:
    """Return the bytes of a tensor, also of one that is made of others, with its scales."""
    parts = getattr(tensor, "__tensor_flatten__", None)
    if parts is not None and type(tensor) not in (Tensor, torch.nn.Parameter):
        return sum(size(getattr(tensor, name)) for name in parts()[0])
    state = getattr(tensor, "quant_state", None)
    scales = 0 if state is None else size(state.absmax) + (size(state.state2.absmax) if state.nested else 0)
    return int(tensor.numel() * tensor.element_size()) + scales


def milliseconds(call: Callable[[], Any], times: int = 8) -> float:
    """Return the shortest time of several calls: what else runs on the machine only makes them longer."""
    call()
    taken = []
    for _ in range(times):
        began_s = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began_s)
    return min(taken) * 1e3


def measured(folder: OpenVlaFolder, weights: str, seen: Tensor, exact: Tensor | None) -> Tensor:
    """Print what a layer with these weights costs, and return how it changes `seen`.

    Args:
        seen: (1, TOKENS, 4096). exact: what the first weights made of it.
    """
    began_s = time.perf_counter()
    network = load(folder, "cpu", weights)
    loaded_s = time.perf_counter() - began_s
    llama = network.language_model.model
    layer = llama.layers[0]
    rotary = llama.rotary_emb(seen, torch.arange(TOKENS)[None])
    first = tuple(part[:, :1] for part in rotary)

    def change(x: Tensor, turns: Any) -> Tensor:
        found = layer(x, position_embeddings=turns, attention_mask=None)
        return ((found[0] if isinstance(found, tuple) else found) - x).float()

    changed = change(seen, rotary)
    reference = changed if exact is None else exact
    one = sum(map(size, layer.parameters()))
    rest = sum(map(size, network.parameters())) - LAYERS * one
    print(
        f"{weights}: loaded in {loaded_s:.0f} s; {one / 1e6:.0f} MB a layer, {rest / 1e9:.2f} GB besides, "
        f"{(WHOLE * one + rest) / 1e9:.1f} GB with {WHOLE}; a layer takes "
        f"{milliseconds(lambda: change(seen, rotary)):.0f} ms for {TOKENS} tokens, "
        f"{milliseconds(lambda: change(seen[:, :1], first)):.0f} ms for one; its change is off by "
        f"{float((changed - reference).norm() / reference.norm()):.3f}"
    )
    if exact is None:
        picture = torch.randn(1, 6, 224, 224, dtype=seen.dtype)
        print(f"vision: {milliseconds(lambda: network.vision_backbone(picture)):.0f} ms an image")
    return changed


def main() -> None:
    """Measure each of the weights that the command line names; errors are relative to the first."""
    torch.manual_seed(0)
    seen = torch.randn(1, TOKENS, 4096).bfloat16()
    exact: Tensor | None = None
    with tempfile.TemporaryDirectory() as name, torch.inference_mode():
        folder = write(Path(name))
        for weights in sys.argv[1:]:
            changed = measured(folder, weights, seen, exact)
            exact = changed if exact is None else exact


if __name__ == "__main__":
    main()
