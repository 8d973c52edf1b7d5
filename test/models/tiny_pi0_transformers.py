"""A tiny random pi0 of transformers, with processor and statistics, as `save_pretrained` leaves it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import PI0Config, PI0ForConditionalGeneration, PreTrainedTokenizerFast
from transformers.models.pi0.image_processing_pi0 import PI0ImageProcessor
from transformers.models.pi0.processing_pi0 import PI0Processor

VOCABULARY = 2048  # the processor adds 1152 tokens of PaliGemma's
SIDE = 56
CORPUS = ("put the red cube in the bowl, pick up the blue cylinder, push the green ball to the left",)


def tokenizer() -> Any:
    """Return a byte-level BPE tokenizer of a few hundred words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<eos>", "<bos>", "<image>"]
    made.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        extra_special_tokens={"image_token": "<image>"},
    )


def statistics() -> dict[str, list[float]]:
    """Return mean and std of an arm that moves a little about its home."""
    from vla_ros.sim.arm_description import HOME

    mean = [*map(float, HOME[:7]), 0.02]
    std = [0.1] * 7 + [0.005]
    return {"state_mean": mean, "state_std": std, "actions_mean": mean, "actions_std": std}


def save(folder: Path, seed: int = 0, dtype: torch.dtype = torch.float32, **changes: Any) -> Path:
    """Write the folder and return it. changes: of the configuration."""
    words = tokenizer()
    image_processor = PI0ImageProcessor(size={"height": SIDE, "width": SIDE}, pad_size={"height": SIDE, "width": SIDE})
    image_processor.image_seq_length = (SIDE // 14) ** 2
    processor = PI0Processor(image_processor, words)
    text = {"model_type": "gemma", "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 8}
    text |= {"num_key_value_heads": 1, "head_dim": 16, "intermediate_size": 128, "vocab_size": VOCABULARY}
    vision = {"model_type": "siglip_vision_model", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    vision |= {"num_attention_heads": 2, "patch_size": 14, "image_size": SIDE, "vision_use_head": False}
    dit = {**text, "hidden_size": 32, "intermediate_size": 64}
    config = PI0Config(
        vlm_config={
            "model_type": "paligemma",
            "text_config": text,
            "vision_config": vision,
            "projection_dim": 64,
            "image_token_id": processor.image_token_id,
        },
        dit_config=dit,
        chunk_size=10,
        **changes,
    )
    torch.manual_seed(seed)
    model = PI0ForConditionalGeneration(config).eval().to(dtype)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    path = folder / "processor_config.json"
    saved = json.loads(path.read_text())
    path.write_text(json.dumps({**saved, **statistics()}))
    return folder
