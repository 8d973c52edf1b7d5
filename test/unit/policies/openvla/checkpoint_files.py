"""Writes the files of an OpenVLA folder without torch: enough for what reads headers and configurations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

STATISTICS: dict[str, Any] = {
    "action": {
        "q01": [-0.03, -0.04, -0.03, -0.1, -0.1, -0.2, 0.0],
        "q99": [0.03, 0.04, 0.05, 0.1, 0.1, 0.2, 1.0],
        "mask": [True] * 6 + [False],
    }
}
TENSORS = {f"language_model.model.layers.{n}.mlp.up_proj.weight": np.full((4, 3), n, np.float32) for n in range(4)}


def config(**changes: Any) -> dict[str, Any]:
    """Return a config.json as openvla-7b has it."""
    return {
        "model_type": "openvla",
        "image_resize_strategy": "resize-naive",
        "image_sizes": [224, 224],
        "llm_backbone_id": "llama2-7b-pure",
        "n_action_bins": 256,
        "norm_stats": {"bridge_orig": STATISTICS},
        "pad_to_multiple_of": 64,
        "text_config": {"model_type": "llama", "pad_token_id": 32000, "torch_dtype": "bfloat16", "vocab_size": 32064},
        "timm_model_ids": ["vit_large_patch14_reg4_dinov2.lvd142m", "vit_so400m_patch14_siglip_224"],
        "timm_override_act_layers": [None, None],
        "use_fused_vision_backbone": True,
        "vision_backbone_id": "dinosiglip-vit-so-224px",
    } | changes


def write(folder: Path, dataset_statistics: Any = None, components: tuple[str, ...] = (), **changes: Any) -> Path:
    """Write a folder with two weight files. changes: of config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(**changes)))
    (folder / "tokenizer.json").write_text("{}")
    if dataset_statistics is not None:
        (folder / "dataset_statistics.json").write_text(json.dumps(dataset_statistics))
    names, weight_map = sorted(TENSORS), {}
    for number in range(2):
        file = f"model-{number + 1:05}-of-00002.safetensors"
        save_file({name: TENSORS[name] for name in names[number::2]}, folder / file)
        weight_map |= dict.fromkeys(names[number::2], file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    for name in components:
        (folder / f"{name}--150000_checkpoint.pt").write_bytes(b"PK")
    return folder
