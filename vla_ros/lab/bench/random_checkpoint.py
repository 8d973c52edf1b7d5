"""Checkpoints with random weights and real or tiny sizes, made without a hub: for benches, not for robots."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.factory import make_policy_config, make_pre_post_processors
from lerobot.processor import TokenizerProcessorStep

from vla_ros.policies.split.half_weights import without_memory

CAMERAS, WIDTH = ("front", "wrist"), 8
SHARD_BYTES = 2 << 30
BLOCK = 1 << 20
"""So many random numbers are drawn, and repeated: drawing 4 thousand million takes minutes."""
SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<end_of_utterance>",
    "<image>",
    "<fake_token_around_image>",
    "<global-img>",
)
WORDS = ("put the red cube in the bowl, pick up the blue cylinder", "Task: , State: 0 1 2 3 4 5 6 7 8 9;\nAction: ")


def save(family: str, size: str, folder: Path) -> dict[str, Any]:
    """Write a policy folder and return the options that its policy needs beside `checkpoint`.

    Args:
        family: "smolvla" or "pi0". size: "real" or "tiny" (SmolVLA alone). folder: is made.
    """
    parts = folder.with_name(f"{folder.name}.parts")
    _tokenizer(parts)
    options: dict[str, Any] = {"tokenizer": str(parts)}
    changes: dict[str, Any] = {"dtype": "bfloat16", "compile_model": False}
    if family == "smolvla":
        _smolvlm(parts, size)
        options = {"vlm": str(parts)}
        changes = {"vlm_model_name": str(parts), "load_vlm_weights": False}
        changes |= (
            {} if size == "real" else {"resize_imgs_with_padding": (64, 64), "num_vlm_layers": 4, "chunk_size": 10}
        )
        changes |= {} if size == "real" else {"n_action_steps": 10}
    config = make_policy_config(family, **_features(), device="cpu", push_to_hub=False, **changes)
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    config.device = "meta"
    with without_memory():
        model = _class(family)(config)
    dtypes = torch.bfloat16 if family == "pi0" else None
    _write(model.state_dict(), folder, dtypes)
    config.device = "cpu"
    with _local(parts):
        pre, post = make_pre_post_processors(config, dataset_stats=_statistics())
    pre.save_pretrained(folder, config_filename="policy_preprocessor.json")
    post.save_pretrained(folder, config_filename="policy_postprocessor.json")
    return options


def _class(family: str) -> Any:
    from lerobot.policies.factory import get_policy_class

    return get_policy_class(family)


def _features() -> dict[str, Any]:
    images = {f"observation.images.{name}": PolicyFeature(FeatureType.VISUAL, (3, 256, 256)) for name in CAMERAS}
    return {
        "input_features": {**images, "observation.state": PolicyFeature(FeatureType.STATE, (WIDTH,))},
        "output_features": {"action": PolicyFeature(FeatureType.ACTION, (WIDTH,))},
    }


def _statistics() -> dict[str, dict[str, Any]]:
    from vla_ros.sim.arm_description import HOME

    mean = np.array([*map(float, HOME[:7]), 0.02], np.float32)
    span = np.array([0.2] * 7 + [0.01], np.float32)
    vector = {"mean": mean, "std": span / 2, "min": mean - span, "max": mean + span}
    vector |= {"q01": mean - 0.9 * span, "q99": mean + 0.9 * span}
    image = {name: np.full((3, 1, 1), value, np.float32) for name, value in (("mean", 0.5), ("std", 0.25))}
    image |= {"min": np.zeros((3, 1, 1), np.float32), "max": np.ones((3, 1, 1), np.float32)}
    return {"observation.state": vector, "action": vector, **{f"observation.images.{name}": image for name in CAMERAS}}


def _local(tokenizer: Path) -> Any:
    """Let LeRobot's tokenizer step read a folder, whatever name of the hub it is given."""
    import contextlib

    @contextlib.contextmanager
    def context() -> Any:
        made = TokenizerProcessorStep.__post_init__

        def local(step: Any) -> None:
            step.tokenizer_name = str(tokenizer)
            made(step)

        TokenizerProcessorStep.__post_init__ = local
        try:
            yield
        finally:
            TokenizerProcessorStep.__post_init__ = made

    return context()


def _tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(WORDS, trainer)
    names = {"image_token": SPECIAL[3], "fake_image_token": SPECIAL[4], "global_image_token": SPECIAL[5]}
    PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=SPECIAL[0],
        bos_token=SPECIAL[1],
        eos_token=SPECIAL[2],
        extra_special_tokens=names,
    ).save_pretrained(folder)


def _smolvlm(folder: Path, size: str) -> None:
    """Save configuration and processor of SmolVLM2-500M, or of a tiny one.

    Source: config.json of HuggingFaceTB/SmolVLM2-500M-Video-Instruct.
    """
    from transformers import (
        AutoTokenizer,
        SmolVLMConfig,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    words = AutoTokenizer.from_pretrained(folder)
    real = size == "real"
    side = {"longest_edge": 512 if real else 64}
    sampling = {"fps": 1, "max_frames": 4, "video_size": side}
    SmolVLMProcessor(
        SmolVLMImageProcessor(size=side, max_image_size=side),
        words,
        SmolVLMVideoProcessor(size=side, max_image_size=side, video_sampling=sampling),
        image_seq_len=64 if real else 4,
    ).save_pretrained(folder)
    text = {"model_type": "llama", "pad_token_id": 0, "rope_theta": 100000.0}
    vision = {"model_type": "smolvlm_vision", "patch_size": 16, "image_size": 512 if real else 64}
    if real:
        text |= {"hidden_size": 960, "intermediate_size": 2560, "num_hidden_layers": 32, "num_attention_heads": 15}
        text |= {"num_key_value_heads": 5, "head_dim": 64, "vocab_size": 49280}
        vision |= {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
    else:
        text |= {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 6, "num_attention_heads": 4}
        text |= {"num_key_value_heads": 2, "head_dim": 16, "vocab_size": len(words)}
        vision |= {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    image = words.convert_tokens_to_ids("<image>")
    SmolVLMConfig(
        text_config=text, vision_config=vision, scale_factor=4 if real else 2, image_token_id=image, pad_token_id=0
    ).save_pretrained(folder)


def _write(tensors: Mapping[str, torch.Tensor], folder: Path, dtype: torch.dtype | None) -> None:
    """Write safetensors files of up to SHARD_BYTES with random values for tensors on "meta"."""
    names = {torch.float32: "F32", torch.bfloat16: "BF16"}
    block = 0.02 * torch.randn(BLOCK, generator=torch.Generator().manual_seed(0))
    shards: list[dict[str, torch.Tensor]] = [{}]
    filled = 0
    for name, tensor in tensors.items():
        size = tensor.numel() * (dtype or tensor.dtype).itemsize
        if filled and filled + size > SHARD_BYTES:
            shards.append({})
            filled = 0
        shards[-1][name] = tensor
        filled += size
    places = {}
    for number, shard in enumerate(shards, 1):
        path = folder / (
            "model.safetensors" if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        )
        header, offset = {}, 0
        for name, tensor in shard.items():
            kind = dtype or tensor.dtype
            end = offset + tensor.numel() * kind.itemsize
            header[name] = {"dtype": names[kind], "shape": list(tensor.shape), "data_offsets": [offset, end]}
            offset, places[name] = end, path.name
        text = json.dumps(header).encode()
        with path.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for tensor in shard.values():
                raw = block.to(dtype or tensor.dtype).view(torch.uint8).numpy().tobytes()
                left = tensor.numel() * (dtype or tensor.dtype).itemsize
                while left:
                    file.write(raw[: min(left, len(raw))])
                    left -= min(left, len(raw))
    if len(shards) > 1:
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
