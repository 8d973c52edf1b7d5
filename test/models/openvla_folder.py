"""Writes small random checkpoints in the layout in which OpenVLA and OpenVLA-OFT are published."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

TOWERS = ("test_vit2", "test_vit3")  # with LayerScale and a register token; with attention pooling, as SigLIP has
SIZE = 32
HIDDEN = 64
VOCABULARY = 32064
FIRST_ACTION, LAST_ACTION = 31744, 31999
MEANS = [[0.485, 0.456, 0.406], [0.5, 0.5, 0.5]]
STDS = [[0.229, 0.224, 0.225], [0.5, 0.5, 0.5]]
TEXT = {
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "vocab_size": VOCABULARY,
    "pad_token_id": 32000,
}
BRIDGE: dict[str, Any] = {
    "action": {
        "q01": [-0.03, -0.04, -0.026, -0.08, -0.09, -0.2, 0.0],
        "q99": [0.028, 0.04, 0.04, 0.08, 0.07, 0.2, 1.0],
        "min": [-0.4, -0.2, -0.23, -0.4, -1.3, -1.6, 0.0],
        "max": [0.4, 0.2, 0.27, 0.4, 1.3, 1.6, 1.0],
        "mean": [0.0002, 0.0001, -0.0001, -0.0002, -0.0004, 0.0002, 0.5],
        "std": [0.01, 0.0137, 0.0127, 0.028, 0.03, 0.076, 0.5],
        "mask": [True, True, True, True, True, True, False],
    },
    "num_transitions": 10,
}
LIBERO: dict[str, Any] = {
    "action": {
        "q01": [-0.7, -0.7, -0.8, -0.1, -0.2, -0.2, 0.0],
        "q99": [0.8, 0.8, 0.9, 0.1, 0.2, 0.2, 1.0],
        "min": [-0.9, -0.9, -0.9, -0.2, -0.3, -0.3, 0.0],
        "max": [0.9, 0.9, 0.9, 0.2, 0.3, 0.3, 1.0],
        "mask": [True, True, True, True, True, True, False],
    },
    "proprio": {
        "q01": [0.2, -0.4, 0.0, 2.0, -0.7, -0.7, 0.0, -0.04],
        "q99": [0.8, 0.4, 0.7, 3.3, 0.7, 0.7, 0.04, 0.0],
    },
}


def towers() -> list[Any]:
    """Return two whole vision transformers with random weights; LayerScale's are near 1, so that every layer counts."""
    made = []
    for name in TOWERS:
        tower = timm.create_model(name, pretrained=False, num_classes=0, img_size=SIZE).eval()
        for parameter_name, parameter in tower.named_parameters():
            if parameter_name.endswith("gamma"):
                nn.init.normal_(parameter, 1.0, 0.1)
            elif parameter.ndim == 1:
                nn.init.normal_(parameter, 0.5 if "norm" in parameter_name else 0.0, 0.2)
        made.append(tower)
    return made


def published(seed: int = 0) -> dict[str, Tensor]:
    """Return weights under the names of the published files."""
    torch.manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    width = 0
    for name, tower in zip(("featurizer", "fused_featurizer"), towers(), strict=True):
        width += tower.embed_dim
        for key, tensor in tower.state_dict().items():
            tensors[f"vision_backbone.{name}.{key.replace('.gamma', '.scale_factor')}"] = tensor
    sizes = ((width, 4 * width), (4 * width, HIDDEN), (HIDDEN, HIDDEN))
    for number, (inputs, outputs) in enumerate(sizes, start=1):
        linear = nn.Linear(inputs, outputs)
        tensors[f"projector.fc{number}.weight"], tensors[f"projector.fc{number}.bias"] = linear.weight, linear.bias
    llama = LlamaForCausalLM(LlamaConfig(**TEXT))
    for name, tensor in llama.state_dict().items():
        grown = tensor * 8 if tensor.ndim == 2 else tensor + 0.2 * torch.randn_like(tensor)
        tensors[f"language_model.{name}"] = grown
    head = tensors["language_model.lm_head.weight"]
    head[:FIRST_ACTION] = 0  # so that a random model answers in action tokens
    head[LAST_ACTION + 1 :] = 0
    return {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}


def answering(normalised: Sequence[float], seed: int = 0) -> dict[str, Tensor]:
    """Return weights of a model that answers every picture and instruction with these values in [-1, 1].

    Its layers add nothing, so that each word alone decides on the next one: the blank leads to the first token, that one to
    the second, and so on. The tokens must differ.
    """
    tokens = [LAST_ACTION - min(int((value + 1) * 255 / 2), 254) for value in normalised]
    assert len(set(tokens)) == len(tokens), tokens
    tensors = published(seed)
    for name, tensor in tensors.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            tensor.zero_()
    tensors["language_model.model.norm.weight"].fill_(1.0)
    words, head = tensors["language_model.model.embed_tokens.weight"], tensors["language_model.lm_head.weight"]
    head.zero_()
    for place, (word, answer) in enumerate(itertools.pairwise([29871, *tokens])):
        words[word] = 0
        words[word, place] = 1.0
        head[answer, place] = 1.0
    return tensors


def tokenizer() -> Tokenizer:
    """Return a byte-level tokenizer, trained here; it begins with <s> as Llama's does."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    lines = ["In: What action should the robot take to pick up the red cube?\nOut:", "put the blue ball in the bowl"]
    special = ["<unk>", "<s>", "</s>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(lines * 3, trainer)
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return made


def write(
    folder: Path,
    tensors: Mapping[str, Tensor] | None = None,
    norm_stats: Mapping[str, Any] | None = None,
    dataset_statistics: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
    shards: int = 3,
    **changes: Any,
) -> Path:
    """Write a checkpoint and return its folder. changes: of config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = published() if tensors is None else tensors
    config = {
        "model_type": "openvla",
        "architectures": ["OpenVLAForActionPrediction"],
        "arch_specifier": "no-align+fused-gelu-mlp",
        "image_resize_strategy": "resize-naive",
        "image_sizes": [SIZE, SIZE],
        "llm_backbone_id": "llama2-7b-pure",
        "n_action_bins": 256,
        "norm_stats": {"bridge_orig": BRIDGE} if norm_stats is None else norm_stats,
        "pad_to_multiple_of": 64,
        "text_config": TEXT,
        "timm_model_ids": list(TOWERS),
        "timm_override_act_layers": [None, None],
        "use_fused_vision_backbone": True,
        "vision_backbone_id": "dinosiglip-vit-so-224px",
        **changes,
    }
    _json(folder / "config.json", config)
    _json(
        folder / "preprocessor_config.json",
        {
            "image_resize_strategy": config["image_resize_strategy"],
            "input_sizes": [[3, SIZE, SIZE]] * 2,
            "interpolations": ["bicubic", "bicubic"],
            "means": MEANS,
            "stds": STDS,
        },
    )
    if dataset_statistics is not None:
        _json(folder / "dataset_statistics.json", dataset_statistics)
    tokenizer().save(str(folder / "tokenizer.json"))
    names = sorted(tensors)
    files = [f"model-{number + 1:05}-of-{shards:05}.safetensors" for number in range(shards)]
    parts = {file: names[number::shards] for number, file in enumerate(files)}
    for file, held in parts.items():
        save_file({name: tensors[name].to(dtype).contiguous() for name in held}, folder / file)
    weight_map = {name: file for file, held in parts.items() for name in held}
    _json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})
    return folder


def write_oft(
    folder: Path, action: int = 7, proprio: int = 8, key: str = "libero_spatial_no_noops", **options: Any
) -> Path:
    """Write a checkpoint of OFT: with an L1 head, and the projector of a state of `proprio` values (0: without)."""
    statistics = options.pop("dataset_statistics", {key: LIBERO})
    write(folder, dataset_statistics=statistics, **options)
    torch.manual_seed(5)
    inputs = HIDDEN * action
    layers: list[tuple[str, nn.Module]] = [
        ("layer_norm1", nn.LayerNorm(inputs)),
        ("fc1", nn.Linear(inputs, HIDDEN)),
        *[(f"mlp_resnet_blocks.{n}.ffn.0", nn.LayerNorm(HIDDEN)) for n in range(2)],
        *[(f"mlp_resnet_blocks.{n}.ffn.1", nn.Linear(HIDDEN, HIDDEN)) for n in range(2)],
        ("layer_norm2", nn.LayerNorm(HIDDEN)),
        ("fc2", nn.Linear(HIDDEN, action)),
    ]
    head = {f"module.model.{name}.{key}": value for name, layer in layers for key, value in layer.state_dict().items()}
    torch.save(head, folder / "action_head--150000_checkpoint.pt")
    if proprio:
        first, second = nn.Linear(proprio, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        parts = {
            f"module.fc{number}.{key}": value
            for number, layer in ((1, first), (2, second))
            for key, value in layer.state_dict().items()
        }
        torch.save(parts, folder / "proprio_projector--150000_checkpoint.pt")
    return folder


def _json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))
