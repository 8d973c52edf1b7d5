"""Tiny random checkpoints of every family, saved by LeRobot's own classes, offline, in seconds.

`save("act", folder)` writes a policy folder for the simulated arm: eight joints, two cameras. Some of LeRobot's classes have
no options for their sizes: `sizes("pi0")` is a context in which those are made and loaded small.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.factory import get_policy_class, make_policy_config, make_pre_post_processors

CAMERAS = ("front", "wrist")
WIDTH = 8
SIDE = 96
CHUNK = 10
VOCABULARY = 512
CORPUS = (
    "put the red cube in the bowl, pick up the blue cylinder, push the green ball to the left",
    "Task: , State: 0 1 2 3 4 5 6 7 8 9;\nAction: |",
)


def image_inputs(family: str) -> tuple[str, ...]:
    """Return the names of a family's image inputs."""
    if family == "tdmpc":
        return ("observation.image",)  # LeRobot's class knows no other name
    return tuple(f"observation.images.{name}" for name in (CAMERAS[:1] if family in ONE_CAMERA else CAMERAS))


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


def tokenizer(folder: Path, special: tuple[str, ...] = ("<pad>", "<bos>", "<eos>"), **keywords: Any) -> Any:
    """Save a byte-level BPE tokenizer of a few hundred words and return it; the first special token is padding."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    keywords = {"pad_token": special[0], "bos_token": special[1], "eos_token": special[2], **keywords}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, **keywords)
    wrapped.save_pretrained(folder)
    return wrapped


# Families: each returns the options of LeRobot's configuration; what they need beside it is saved below `parts`.


def _act(parts: Path) -> dict[str, Any]:
    return {
        "pretrained_backbone_weights": None,
        "dim_model": 64,
        "n_heads": 2,
        "dim_feedforward": 128,
        "n_encoder_layers": 1,
        "n_vae_encoder_layers": 1,
        "chunk_size": CHUNK,
        "n_action_steps": CHUNK,
    }


def _diffusion(parts: Path) -> dict[str, Any]:
    return {
        "down_dims": (16, 32),
        "pretrained_backbone_weights": None,
        "crop_shape": (84, 84),
        "noise_scheduler_type": "DDIM",
        "num_inference_steps": 4,
        "spatial_softmax_num_keypoints": 8,
    }


def _vqbet(parts: Path) -> dict[str, Any]:
    return {
        "pretrained_backbone_weights": None,
        "crop_shape": (84, 84),
        "n_obs_steps": 3,
        "gpt_n_layer": 1,
        "gpt_n_head": 2,
        "gpt_hidden_dim": 32,
        "gpt_input_dim": 32,
        "gpt_output_dim": 32,
        "vqvae_embedding_dim": 16,
        "vqvae_enc_hidden_dim": 16,
        "spatial_softmax_num_keypoints": 8,
    }


def _tdmpc(parts: Path) -> dict[str, Any]:
    return {"cem_iterations": 2, "n_gaussian_samples": 16, "n_elites": 4, "n_pi_samples": 4, "latent_dim": 16}


def _smolvla(parts: Path) -> dict[str, Any]:
    smolvlm(parts / "vlm")
    return {
        "vlm_model_name": str(parts / "vlm"),
        "load_vlm_weights": False,
        "resize_imgs_with_padding": (64, 64),
        "chunk_size": CHUNK,
        "n_action_steps": CHUNK,
        "num_vlm_layers": 4,
    }


def smolvlm(folder: Path) -> None:
    """Save configuration, processor and tokenizer of a SmolVLM of six layers."""
    from transformers import SmolVLMConfig, SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    words = tokenizer(
        folder,
        ("<|endoftext|>", "<|im_start|>", "<end_of_utterance>", "<image>", "<fake_token_around_image>", "<global-img>"),
        extra_special_tokens={
            "image_token": "<image>",
            "fake_image_token": "<fake_token_around_image>",
            "global_image_token": "<global-img>",
        },
    )
    side = {"longest_edge": 64}
    sampling = {"fps": 1, "max_frames": 4, "video_size": side}
    SmolVLMProcessor(
        SmolVLMImageProcessor(size=side, max_image_size=side),
        words,
        SmolVLMVideoProcessor(size=side, max_image_size=side, video_sampling=sampling),
        image_seq_len=4,
    ).save_pretrained(folder)
    SmolVLMConfig(
        text_config={
            "model_type": "llama",
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 6,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "vocab_size": len(words),
            "pad_token_id": 0,
            "rope_theta": 100000.0,
        },
        vision_config={
            "model_type": "smolvlm_vision",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 64,
            "patch_size": 16,
        },
        scale_factor=2,
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pad_token_id=0,
    ).save_pretrained(folder)


def _pi0(parts: Path) -> dict[str, Any]:
    tokenizer(parts / "tokenizer")
    return {
        "image_resolution": (56, 56),
        "chunk_size": CHUNK,
        "n_action_steps": CHUNK,
        "dtype": "float32",
        "compile_model": False,
    }


def _multi_task_dit(parts: Path) -> dict[str, Any]:
    from transformers import CLIPConfig, CLIPModel

    words = tokenizer(parts / "clip")
    torch.manual_seed(3)
    text = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**text, "image_size": 64, "patch_size": 16}
    config = CLIPConfig(
        text_config={**text, "vocab_size": len(words), "projection_dim": 32}, vision_config=vision, projection_dim=32
    )
    CLIPModel(config).save_pretrained(parts / "clip")
    return {
        "vision_encoder_name": str(parts / "clip"),
        "text_encoder_name": str(parts / "clip"),
        "hidden_dim": 32,
        "num_layers": 1,
        "num_heads": 2,
        "num_inference_steps": 4,
        "image_crop_shape": (64, 64),
    }


def _xvla(parts: Path) -> dict[str, Any]:
    words = tokenizer(parts / "tokenizer")
    return {
        "tokenizer_name": str(parts / "tokenizer"),
        "chunk_size": CHUNK,
        "n_action_steps": CHUNK,
        "hidden_size": 32,
        "depth": 1,
        "num_heads": 2,
        "len_soft_prompts": 4,
        "num_domains": 2,
        "action_mode": "auto",
        "num_denoising_steps": 3,
        "resize_imgs_with_padding": (64, 64),
        "florence_config": {
            "vision_config": {
                "model_type": "florence_vision",
                "embed_dim": [16, 16, 32, 32],
                "num_heads": [2, 2, 2, 2],
                "num_groups": [2, 2, 2, 2],
                "depths": [1, 1, 1, 1],
                "projection_dim": 32,
                "max_temporal_embeddings": 10,
                "max_position_embeddings": 50,
            },
            "text_config": {
                "model_type": "bart",
                "d_model": 32,
                "encoder_layers": 1,
                "decoder_layers": 1,
                "encoder_attention_heads": 2,
                "decoder_attention_heads": 2,
                "encoder_ffn_dim": 64,
                "decoder_ffn_dim": 64,
                "vocab_size": len(words) + 8,
            },
        },
    }


def _groot(parts: Path) -> dict[str, Any]:
    """A raw GR00T N1.7 folder, which LeRobot's policy is made of and then overlays with its own weights."""
    from lerobot.policies.groot.groot_n1_7 import GR00TN17, GR00TN17Config

    qwen3vl(parts / "tokenizer")
    attention = {"positional_embeddings": None, "num_attention_heads": 4, "dropout": 0.2, "final_dropout": True}
    config = GR00TN17Config(
        model_name=str(parts / "tokenizer"),
        backbone_model_type="qwen",
        model_dtype="float32",
        dtype="float32",
        backbone_embedding_dim=64,
        select_layer=3,
        max_state_dim=16,
        max_action_dim=16,
        action_horizon=8,
        hidden_size=32,
        input_embedding_dim=48,
        max_seq_len=32,
        diffusion_model_cfg={
            **attention,
            "num_layers": 4,
            "attention_head_dim": 12,
            "norm_type": "ada_norm",
            "output_dim": 32,
            "interleave_self_attention": True,
        },
        vl_self_attention_cfg={**attention, "num_layers": 1, "attention_head_dim": 16},
    )
    torch.manual_seed(4)
    GR00TN17(config, load_backbone_weights=False).save_pretrained(parts / "base")
    return {
        "base_model_path": str(parts / "base"),
        "chunk_size": 8,
        "n_action_steps": 8,
        "max_state_dim": 16,
        "max_action_dim": 16,
        "use_bf16": False,
    }


def qwen3vl(folder: Path) -> None:
    """Save configuration, tokenizer and image processors of a Qwen3-VL of four layers."""
    from transformers import Qwen2VLImageProcessor, Qwen3VLConfig, Qwen3VLVideoProcessor

    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|video_pad|>")
    special += ("<|vision_start|>", "<|vision_end|>")
    content = "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}"
    words = tokenizer(
        folder,
        special,
        chat_template="{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}"
        "{% else %}{% for c in m.content %}" + content + "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}",
        extra_special_tokens={
            "image_token": "<|image_pad|>",
            "video_token": "<|video_pad|>",
            "vision_bos_token": "<|vision_start|>",
            "vision_eos_token": "<|vision_end|>",
        },
    )
    patches = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    size = {"shortest_edge": 32 * 32, "longest_edge": 256 * 256}
    Qwen2VLImageProcessor(**patches, size=size).save_pretrained(folder)
    Qwen3VLVideoProcessor(**patches, size=size).save_pretrained(folder)
    sections = {"mrope_interleaved": True, "mrope_section": [4, 2, 2], "rope_type": "default"}
    Qwen3VLConfig(
        image_token_id=words.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=words.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=words.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=words.convert_tokens_to_ids("<|vision_end|>"),
        tie_word_embeddings=True,
        text_config={
            "hidden_size": 64,
            "intermediate_size": 128,
            "head_dim": 16,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "num_hidden_layers": 4,
            "vocab_size": len(words),
            "rope_scaling": sections,
            "rope_theta": 5000000,
            "tie_word_embeddings": True,
            "dtype": "float32",
        },
        vision_config={
            "deepstack_visual_indexes": [0, 1],
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "num_position_embeddings": 64,
            "out_hidden_size": 64,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
    ).save_pretrained(folder)


OPTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "act": _act,
    "diffusion": _diffusion,
    "groot": _groot,
    "multi_task_dit": _multi_task_dit,
    "pi0": _pi0,
    "pi05": _pi0,
    "smolvla": _smolvla,
    "tdmpc": _tdmpc,
    "vqbet": _vqbet,
    "xvla": _xvla,
}
"""Family → options of its configuration."""

FAMILIES = tuple(OPTIONS)
ONE_CAMERA = ("tdmpc", "vqbet")
"""Families that take one square image."""


@contextlib.contextmanager
def sizes(family: str) -> Iterator[None]:
    """Make LeRobot's pi classes small: their sizes are constants of the module, and tied to a published tokenizer."""
    if family not in ("pi0", "pi05", "pi0_fast"):
        yield
        return
    from transformers import GemmaConfig, PaliGemmaConfig

    module = importlib.import_module(f"lerobot.policies.{family}.modeling_{family}")
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
                "image_size": 56,
            },
            text_config={"model_type": "gemma", "hidden_size": 64, "vocab_size": VOCABULARY},
            projection_dim=64,
        )

    def small(config: Any) -> Any:
        config.vision_config.projection_dim = 64  # LeRobot has set the published numbers
        config.vision_config.intermediate_size = 64
        config.image_token_id = config.image_token_index = VOCABULARY - 1
        config.text_config.vocab_size = VOCABULARY
        return large(config=config)

    def widths(variant: str) -> Any:
        width, inner = (64, 128) if variant == "gemma_2b" else (32, 64)
        return module.GemmaConfig(width=width, depth=3, mlp_dim=inner, num_heads=8, num_kv_heads=1, head_dim=16)

    def gemma(**keywords: Any) -> GemmaConfig:
        return GemmaConfig(**{**keywords, "vocab_size": VOCABULARY})

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
