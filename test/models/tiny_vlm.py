"""Tiny image-text models with random weights, as folders that transformers reads: made offline, with nothing downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VISION = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def tokenizer(*special: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer of bytes with a few words more."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<s>", "</s>", "<unk>", "<image>", *special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(["pick up the red cube and put it in the bowl", "camera front: what is there?"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def llava(folder: Path) -> Path:
    """Make a LLaVA: CLIP and Llama."""
    torch.manual_seed(0)
    tokens = tokenizer()
    size = {"height": 32, "width": 32}
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size)
    LlavaProcessor(
        images,
        tokens,
        patch_size=16,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", "image_size": 32, "patch_size": 16, **VISION},
        text_config={"model_type": "llama", "vocab_size": len(tokens), "max_position_embeddings": 4096, **TEXT},
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        image_seq_length=4,
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    return folder


def smolvlm(folder: Path) -> Path:
    """Make a SmolVLM: SigLIP and Llama."""
    torch.manual_seed(0)
    special = ("<fake_token_around_image>", "<global-img>", "<end_of_utterance>", "<video>")
    tokens = tokenizer(*special)
    edge: dict[str, Any] = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 64}}
    sampling = {"fps": 1, "max_frames": 2, "video_size": {"longest_edge": 64}}
    SmolVLMProcessor(
        SmolVLMImageProcessor(**edge),
        tokens,
        SmolVLMVideoProcessor(**edge, video_sampling=sampling),
        image_seq_len=4,
        chat_template=TEMPLATE,
    ).save_pretrained(folder)
    config = SmolVLMConfig(
        vision_config={"model_type": "smolvlm_vision", "image_size": 64, "patch_size": 16, **VISION},
        text_config={"model_type": "llama", "vocab_size": len(tokens), "max_position_embeddings": 4096, **TEXT},
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    SmolVLMForConditionalGeneration(config).save_pretrained(folder)
    return folder


MODELS = {"llava": llava, "smolvlm": smolvlm}
