"""A tiny random GR00T N1.7: a base model, a policy folder as `lerobot-train` leaves it, and a backbone's folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from lerobot.policies.factory import make_policy_config, make_pre_post_processors
from lerobot.policies.groot.groot_n1_7 import GR00TN17, GR00TN17Config
from lerobot.policies.groot.modeling_groot import GrootPolicy
from transformers import Qwen2VLImageProcessor, Qwen3VLConfig, Qwen3VLVideoProcessor

from test.models import tiny, tiny_families, tiny_language

TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {% for part in message.content %}{% if part.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}{% endfor %}"
)
SPECIAL = ("<pad>", "<bos>", "<eos>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
IMAGES = tiny_families.image_inputs("groot")
VOCABULARY = 512
ROWS = 8


def backbone(folder: Path) -> None:
    """Save configuration, tokenizer and image processors of a Qwen3-VL of four layers."""
    words = tiny_language.tokenizer(
        folder,
        SPECIAL,
        extra_special_tokens={
            "image_token": "<|image_pad|>",
            "video_token": "<|video_pad|>",
            "vision_bos_token": "<|vision_start|>",
            "vision_eos_token": "<|vision_end|>",
        },
    )
    words.chat_template = TEMPLATE
    words.save_pretrained(folder)
    sizes = {"shortest_edge": 32 * 32, "longest_edge": 64 * 64}
    kinds = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2}
    Qwen2VLImageProcessor(size=sizes, **kinds).save_pretrained(folder)
    Qwen3VLVideoProcessor(size=sizes, **kinds).save_pretrained(folder)
    rope = {"mrope_interleaved": True, "mrope_section": [4, 2, 2], "rope_type": "default"}
    text = {"hidden_size": 64, "intermediate_size": 128, "head_dim": 16, "num_attention_heads": 4}
    text |= {"num_key_value_heads": 2, "num_hidden_layers": 4, "vocab_size": VOCABULARY, "rope_scaling": rope}
    vision = {"deepstack_visual_indexes": [0, 1], "depth": 2, "hidden_size": 32, "intermediate_size": 64}
    vision |= {"num_heads": 2, "num_position_embeddings": 64, "out_hidden_size": 64, "patch_size": 16}
    ids = {name: words.convert_tokens_to_ids(token) for name, token in (
        ("image_token_id", "<|image_pad|>"), ("video_token_id", "<|video_pad|>"),
        ("vision_start_token_id", "<|vision_start|>"), ("vision_end_token_id", "<|vision_end|>"),
    )}  # fmt: skip
    Qwen3VLConfig(
        text_config={**text, "rope_theta": 5000000, "tie_word_embeddings": True, "dtype": "float32"},
        vision_config={**vision, "spatial_merge_size": 2, "temporal_patch_size": 2},
        tie_word_embeddings=True,
        **ids,
    ).save_pretrained(folder)


def save(folder: Path, seed: int = 0, dtype: str = "float32", **changes: Any) -> Path:
    """Write a policy folder and return it; `folder`.parts/backbone and `folder`.parts/base stand beside it.

    Args:
        dtype: of the base model. changes: of LeRobot's configuration.
    """
    parts = folder.with_name(f"{folder.name}.parts")
    backbone(parts / "backbone")
    dit = {"positional_embeddings": None, "num_attention_heads": 4, "dropout": 0.2, "final_dropout": True}
    config = GR00TN17Config(
        model_name=str(parts / "backbone"),
        backbone_model_type="qwen",
        model_dtype=dtype,
        dtype=dtype,
        backbone_embedding_dim=64,
        select_layer=3,
        max_state_dim=16,
        max_action_dim=16,
        action_horizon=ROWS,
        hidden_size=32,
        input_embedding_dim=48,
        max_seq_len=32,
        diffusion_model_cfg={
            **dit,
            "num_layers": 4,
            "attention_head_dim": 12,
            "norm_type": "ada_norm",
            "output_dim": 32,
            "interleave_self_attention": True,
        },
        vl_self_attention_cfg={**dit, "num_layers": 1, "attention_head_dim": 16},
    )
    torch.manual_seed(seed)
    model = GR00TN17(config, load_backbone_weights=False).eval()
    with torch.no_grad():  # layers that begin with zeros would hide what is before them
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(0.0, 0.02)
    model.to(getattr(torch, dtype)).save_pretrained(parts / "base")
    options = {
        **tiny.features(IMAGES),
        "base_model_path": str(parts / "base"),
        "max_state_dim": 16,
        "max_action_dim": 16,
        "chunk_size": ROWS,
        "n_action_steps": ROWS,
        "use_bf16": False,
        "device": "cpu",
        "push_to_hub": False,
        **changes,
    }
    policy_config = make_policy_config("groot", **options)
    GrootPolicy(policy_config).save_pretrained(folder)
    pre, post = make_pre_post_processors(policy_config, dataset_stats=tiny.statistics(IMAGES))
    for step in pre.steps:
        if hasattr(step, "model_name"):
            step.model_name = str(parts / "backbone")
            step.image_crop_size, step.image_target_size = [64, 64], [64, 64]
    pre.save_pretrained(folder, config_filename="policy_preprocessor.json")
    post.save_pretrained(folder, config_filename="policy_postprocessor.json")
    return folder
