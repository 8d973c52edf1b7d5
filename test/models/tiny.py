"""Tiny random checkpoints of every family, saved by LeRobot's own classes, offline, in seconds.

`save("act", folder)` writes a policy folder for the simulated arm: eight joints, two cameras. Some of LeRobot's classes have
no options for their sizes: `sizes("pi0")` is a context in which those are made and loaded small.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.factory import get_policy_class, make_policy_config, make_pre_post_processors

from test.models.tiny_families import CAMERAS, CHUNK, ONE_CAMERA, OPTIONS, WIDTH, image_inputs
from test.models.tiny_language import VOCABULARY, WORDS, smolvlm, tokenizer

__all__ = [
    "CAMERAS",
    "CHUNK",
    "FAMILIES",
    "ONE_CAMERA",
    "SIDE",
    "WIDTH",
    "features",
    "image_inputs",
    "local_tokenizer",
    "replaced",
    "save",
    "sizes",
    "smolvlm",
    "statistics",
    "tokenizer",
]

SIDE = 96
FAMILIES = tuple(OPTIONS)


def features(images: tuple[str, ...], width: int = WIDTH) -> dict[str, Any]:
    """Return the features of a policy of the simulated arm."""
    visual = {name: PolicyFeature(FeatureType.VISUAL, (3, SIDE, SIDE)) for name in images}
    return {
        "input_features": {**visual, "observation.state": PolicyFeature(FeatureType.STATE, (width,))},
        "output_features": {"action": PolicyFeature(FeatureType.ACTION, (width,))},
    }


def statistics(images: tuple[str, ...] = (), width: int = WIDTH) -> dict[str, dict[str, np.ndarray]]:
    """Return statistics as LeRobot computes them, of an arm that moves a little about its home."""
    from vla_ros.sim.arm_description import HOME

    middle = np.resize(np.asarray(HOME, np.float32), width)
    span = np.full(width, 0.2, np.float32)
    span[-1] = 0.01  # the finger, m
    middle[-1] = 0.02
    vector = {
        "mean": middle,
        "std": span / 2,
        "min": middle - span,
        "max": middle + span,
        "q01": middle - 0.9 * span,
        "q99": middle + 0.9 * span,
        "q10": middle - 0.6 * span,
        "q90": middle + 0.6 * span,
    }
    image = {
        name: np.full((3, 1, 1), value, np.float32)
        for name, value in {"mean": 0.45, "std": 0.25, "min": 0.0, "max": 1.0, "q01": 0.02, "q99": 0.98}.items()
    }
    return {
        "observation.state": dict(vector),
        "action": dict(vector),
        **{name: dict(image) for name in images},
    }


@contextlib.contextmanager
def sizes(family: str) -> Iterator[None]:
    """Make LeRobot's pi classes small: their sizes are constants of the module, and tied to a published tokenizer."""
    if family not in ("pi0", "pi05", "pi0_fast"):
        yield
        return
    from transformers import GemmaConfig, PaliGemmaConfig

    module = importlib.import_module(f"lerobot.policies.{family}.modeling_{family}")
    vocabulary = WORDS if family == "pi0_fast" else VOCABULARY  # it speaks its own tokens again
    large = module.PaliGemmaForConditionalGenerationWithPiGemma

    def paligemma() -> PaliGemmaConfig:
        return PaliGemmaConfig(
            vision_config={
                "model_type": "siglip_vision_model",
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "patch_size": 14,
                "image_size": 224 if family == "pi0_fast" else 56,
            },
            text_config={"model_type": "gemma", "hidden_size": 64, "vocab_size": vocabulary},
            projection_dim=64,
        )

    def small(config: Any) -> Any:
        config.vision_config.projection_dim = 64  # LeRobot has set the published numbers
        config.vision_config.intermediate_size = 64
        config.image_token_id = config.image_token_index = vocabulary - 1
        config.text_config.vocab_size = vocabulary
        return large(config=config)

    def widths(variant: str) -> Any:
        width, inner = (64, 128) if variant == "gemma_2b" else (32, 64)
        return module.GemmaConfig(width=width, depth=3, mlp_dim=inner, num_heads=8, num_kv_heads=1, head_dim=16)

    def gemma(**keywords: Any) -> GemmaConfig:
        return GemmaConfig(**{**keywords, "vocab_size": vocabulary})

    with (
        replaced(module, "get_gemma_config", widths),
        replaced(module, "CONFIG_MAPPING", {"paligemma": paligemma, "gemma": gemma}),
        replaced(module, "PaliGemmaForConditionalGenerationWithPiGemma", small),
    ):
        yield


@contextlib.contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute for a while."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextlib.contextmanager
def local_tokenizer(folder: Path) -> Iterator[None]:
    """Let LeRobot's tokenizer step read `folder`, whatever name of the hub it is given."""
    import lerobot.processor.tokenizer_processor as module

    real = module.AutoTokenizer

    class Local:
        @staticmethod
        def from_pretrained(name: str, **keywords: Any) -> Any:
            return real.from_pretrained(folder, **keywords)

    if not folder.is_dir():
        yield
        return
    with replaced(module, "AutoTokenizer", Local):
        yield


def save(family: str, folder: Path, seed: int = 0, **changes: Any) -> Path:
    """Write a policy folder, as `lerobot-train` leaves it, and return it.

    Args:
        family: one of FAMILIES.
        folder: is made; what the policy needs beside it (its VLM's configuration, its tokenizer) stands in `folder`.parts.
        seed: of the random weights.
        changes: of LeRobot's configuration, over the family's.
    """
    parts = folder.with_name(f"{folder.name}.parts")
    images = image_inputs(family)
    options = {**features(images), **OPTIONS[family](parts), "device": "cpu", "push_to_hub": False, **changes}
    config = make_policy_config(family, **options)
    torch.manual_seed(seed)
    with sizes(family):
        policy = get_policy_class(family)(config).eval()
    with torch.no_grad():  # layers that begin with zeros would hide what is before them
        for parameter in policy.parameters():
            if not parameter.any():
                parameter.normal_(0.0, 0.02)
    policy.save_pretrained(folder)
    with local_tokenizer(parts / "tokenizer"):
        pre, post = make_pre_post_processors(config, dataset_stats=statistics(images))
        pre.save_pretrained(folder, config_filename="policy_preprocessor.json")
        post.save_pretrained(folder, config_filename="policy_postprocessor.json")
    return folder


if __name__ == "__main__":
    import sys
    import time

    for name in sys.argv[2:] or FAMILIES:
        began_s = time.monotonic()
        save(name, Path(sys.argv[1]) / name)
        print(f"{name}: {time.monotonic() - began_s:.1f} s")
