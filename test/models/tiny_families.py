"""Options that make each family of LeRobot tiny; what a family needs beside its folder is saved below `parts`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from test.models.tiny_language import (
    CORPUS,
    image_tokens,
    internvl,
    qwen3vl,
    qwen25vl,
    smolvlm,
    tokenizer,
)

CAMERAS = ("front", "wrist")
WIDTH = 8
CHUNK = 10
ONE_CAMERA = ("tdmpc", "vqbet")
"""Families that take one square image."""


def image_inputs(family: str) -> tuple[str, ...]:
    """Return the names of a family's image inputs."""
    if family == "tdmpc":
        return ("observation.image",)  # LeRobot's class knows no other name
    return tuple(f"observation.images.{name}" for name in (CAMERAS[:1] if family in ONE_CAMERA else CAMERAS))


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


def _pi0(parts: Path) -> dict[str, Any]:
    tokenizer(parts / "tokenizer")
    return {
        "image_resolution": (56, 56),
        "chunk_size": CHUNK,
        "n_action_steps": CHUNK,
        "dtype": "float32",
        "compile_model": False,
    }


FAST = '''
class Coefficients:
    """Stands for FAST's byte-pair tokenizer: one token, one coefficient."""

    def decode(self, tokens):
        return "".join(chr(abs(int(token)) % 64) for token in tokens)


class TinyFast:
    bpe_tokenizer, scale, min_token = Coefficients(), 10.0, -32

    @classmethod
    def register_for_auto_class(cls, *arguments): ...

    @classmethod
    def from_pretrained(cls, *arguments, **keywords):
        return cls()
'''
"""Code of an action tokenizer, as pi0-FAST's folder holds it."""


def _pi0_fast(parts: Path) -> dict[str, Any]:
    tokenizer(parts / "tokenizer")
    action = parts / "action_tokenizer"
    action.mkdir()
    (action / "processing_tiny.py").write_text(FAST)
    (action / "processor_config.json").write_text('{"auto_map": {"AutoProcessor": "processing_tiny.TinyFast"}}')
    return {
        "text_tokenizer_name": str(parts / "tokenizer"),
        "action_tokenizer_name": str(action),
        "validate_action_token_prefix": False,  # random weights do not say "Action: "
        "chunk_size": CHUNK,
        "n_action_steps": CHUNK,
        "max_decoding_steps": 16,
        "fast_skip_tokens": 8,
        "dtype": "float32",
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


def _vla_jepa(parts: Path) -> dict[str, Any]:
    from transformers import Qwen3VLForConditionalGeneration, Qwen3VLProcessor

    qwen3vl(parts / "vlm")
    config = Qwen3VLForConditionalGeneration.config_class.from_pretrained(parts / "vlm")
    torch.manual_seed(6)
    Qwen3VLForConditionalGeneration(config).save_pretrained(parts / "vlm")
    Qwen3VLProcessor.from_pretrained(parts / "vlm").save_pretrained(parts / "vlm")
    return {
        "qwen_model_name": str(parts / "vlm"),
        "enable_world_model": False,
        "action_dim": WIDTH,
        "state_dim": WIDTH,
        "chunk_size": 7,
        "n_action_steps": 7,
        "action_hidden_size": 32,
        "action_num_layers": 2,
        "action_num_heads": 2,
        "action_attention_head_dim": 16,
        "torch_dtype": "float32",
        "num_inference_timesteps": 2,
        "binarize_gripper_action": False,
        "pre_snap_gripper_action": False,
    }


def _eo1(parts: Path) -> dict[str, Any]:
    qwen25vl(parts / "vlm")
    return {
        "vlm_base": str(parts / "vlm"),
        "chunk_size": 8,
        "n_action_steps": 8,
        "num_denoise_steps": 3,
        "dtype": "float32",
        "image_min_pixels": 28 * 28,
        "image_max_pixels": 16 * 28 * 28,
    }


def _evo1(parts: Path) -> dict[str, Any]:
    internvl(parts / "vlm")
    return {
        "vlm_model_name": str(parts / "vlm"),
        "vlm_num_layers": 2,
        "vlm_dtype": "float32",
        "use_flash_attn": False,
        "use_amp": False,
        "image_resolution": (56, 56),
        "chunk_size": CHUNK,
        "n_action_steps": CHUNK,
        "embed_dim": 64,
        "hidden_dim": 32,
        "state_hidden_dim": 32,
        "num_heads": 2,
        "num_layers": 2,
        "num_inference_timesteps": 3,
        "max_text_length": 256,
        "enable_gradient_checkpointing": False,
    }


def _wall_x(parts: Path) -> dict[str, Any]:
    """The folder of a base model, which LeRobot's policy is made of and then overlays with its own weights."""
    from lerobot.policies.wall_x.modeling_wall_x import Qwen2_5_VLMoEForAction
    from transformers import AutoProcessor

    folder = parts / "base"
    qwen25vl(folder)
    words = AutoProcessor.from_pretrained(folder)
    words.tokenizer.add_tokens(["<|action|>", "<|propri|>"], special_tokens=True)
    words.save_pretrained(folder)
    kind = Qwen2_5_VLMoEForAction.config_class
    given = json.loads((folder / "config.json").read_text())
    expert = {"hidden_size": 64, "intermediate_size": 64, "hidden_act": "silu"}
    moe = {"num_experts": 2, "experts": [expert, expert], "dim_inputs": [64, 64], "mlp_moe": True}
    scheduler = {"beta_alpha": 1.5, "beta_beta": 1.0, "s": 0.999}
    moe |= {"dof_config": {"arm": 20}, "noise_scheduler": scheduler}
    config = kind(
        **image_tokens(words.tokenizer),
        text_config={**given["text_config"], **moe},
        vision_config=given["vision_config"],
        agent_pos_config={"arm": 20},
        attn_implementation="eager",
    )
    config.text_config.pad_token_id = config.pad_token_id = words.tokenizer.pad_token_id
    torch.manual_seed(10)
    model = Qwen2_5_VLMoEForAction(config, processor=words)
    model.resize_token_embeddings(len(words.tokenizer))
    model.save_pretrained(folder)
    return {"pretrained_name_or_path": str(folder), "chunk_size": 8, "n_action_steps": 8}


def _lingbot_va(parts: Path) -> dict[str, Any]:
    """The folder of Wan's image and text encoders, which LeRobot keeps outside of the policy's weights."""
    from diffusers import AutoencoderKLWan
    from transformers import T5TokenizerFast, UMT5Config, UMT5EncoderModel

    wan = parts / "wan"
    pieces = [(letter, -3.0) for letter in sorted({*"".join(CORPUS), "\u2581"})]
    words = T5TokenizerFast(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), *pieces])
    words.save_pretrained(wan / "tokenizer")
    torch.manual_seed(11)
    AutoencoderKLWan(
        base_dim=8,
        decoder_base_dim=8,
        z_dim=48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
    ).save_pretrained(wan / "vae")
    text = UMT5Config(vocab_size=len(words), d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4)
    UMT5EncoderModel(text).save_pretrained(wan / "text_encoder")
    return {
        "wan_pretrained_path": str(wan),
        "dtype": "float32",
        "num_attention_heads": 2,
        "attention_head_dim": 24,
        "text_dim": 32,
        "freq_dim": 32,
        "ffn_dim": 64,
        "num_layers": 1,
        "height": 64,
        "width": 64,
        "obs_cam_keys": list(image_inputs("lingbot_va")),
        "used_action_channel_ids": list(range(WIDTH)),
        "frame_chunk_size": 2,
        "num_inference_steps": 2,
        "action_num_inference_steps": 3,
        "guidance_scale": 1.0,
        "max_sequence_length": 32,
    }


OPTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "act": _act,
    "diffusion": _diffusion,
    "eo1": _eo1,
    "evo1": _evo1,
    "groot": _groot,
    "lingbot_va": _lingbot_va,
    "multi_task_dit": _multi_task_dit,
    "pi0": _pi0,
    "pi05": _pi0,
    "pi0_fast": _pi0_fast,
    "smolvla": _smolvla,
    "tdmpc": _tdmpc,
    "vla_jepa": _vla_jepa,
    "vqbet": _vqbet,
    "wall_x": _wall_x,
    "xvla": _xvla,
}
"""Family → options of its configuration."""
