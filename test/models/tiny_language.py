"""Tiny language models of the families: tokenizers, processors, configurations and, where LeRobot reads them, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

VOCABULARY = 512
WORDS = 400
"""So many tokens each tokenizer has."""
CORPUS = (
    "put the red cube in the bowl, pick up the blue cylinder, push the green ball to the left",
    "Task: , State: 0 1 2 3 4 5 6 7 8 9;\nAction: |",
)


def tokenizer(folder: Path, special: tuple[str, ...] = ("<pad>", "<bos>", "<eos>"), **keywords: Any) -> Any:
    """Save a byte-level BPE tokenizer of a few hundred words and return it; the first special token is padding."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    keywords = {"pad_token": special[0], "bos_token": special[1], "eos_token": special[2], **keywords}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, **keywords)
    wrapped.add_tokens([f"<unused{number}>" for number in range(WORDS - len(wrapped))])
    wrapped.save_pretrained(folder)
    return wrapped


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


def qwen_tokenizer(folder: Path) -> Any:
    """Save a tokenizer with Qwen's special tokens and chat template, and return it."""
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|video_pad|>")
    special += ("<|vision_start|>", "<|vision_end|>")
    content = "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}"
    return tokenizer(
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


def image_tokens(words: Any) -> dict[str, int]:
    """Return the ids of special tokens that a configuration of Qwen names."""
    names = {"image_token_id": "image_pad", "video_token_id": "video_pad"}
    names |= {"vision_start_token_id": "vision_start", "vision_end_token_id": "vision_end"}
    return {key: words.convert_tokens_to_ids(f"<|{name}|>") for key, name in names.items()}


def qwen3vl(folder: Path) -> None:
    """Save configuration, tokenizer and image processors of a Qwen3-VL of four layers."""
    from transformers import Qwen2VLImageProcessor, Qwen3VLConfig, Qwen3VLVideoProcessor

    words = qwen_tokenizer(folder)
    patches = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    size = {"shortest_edge": 32 * 32, "longest_edge": 256 * 256}
    Qwen2VLImageProcessor(**patches, size=size).save_pretrained(folder)
    Qwen3VLVideoProcessor(**patches, size=size).save_pretrained(folder)
    sections = {"mrope_interleaved": True, "mrope_section": [4, 2, 2], "rope_type": "default"}
    Qwen3VLConfig(
        **image_tokens(words),
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


def qwen25vl(folder: Path) -> None:
    """Save configuration, weights, tokenizer and image processors of a Qwen2.5-VL of two layers."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    words = qwen_tokenizer(folder)
    size = {"shortest_edge": 28 * 28, "longest_edge": 256 * 256}
    Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(size=size), words, Qwen2VLVideoProcessor(size=size), chat_template=words.chat_template
    ).save_pretrained(folder)
    config = Qwen2_5_VLConfig(
        **image_tokens(words),
        text_config={
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "num_hidden_layers": 2,
            "vocab_size": VOCABULARY,
            "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3], "rope_type": "default"},
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "fullatt_block_indexes": [1],
        },
    )
    torch.manual_seed(8)
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)


def internvl(folder: Path) -> None:
    """Save configuration, weights and tokenizer of an InternVL of two layers."""
    from transformers import InternVLConfig, InternVLModel

    words = tokenizer(folder, ("<pad>", "<bos>", "<eos>", "<IMG_CONTEXT>", "<img>", "</img>"))
    config = InternVLConfig(
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": [56, 56],
            "patch_size": [14, 14],
        },
        text_config={
            "model_type": "qwen2",
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "vocab_size": VOCABULARY,
        },
    )
    torch.manual_seed(9)
    InternVLModel(config).save_pretrained(folder)
