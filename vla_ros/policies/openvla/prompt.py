"""What the language model is asked, in words and in tokens.

Source: openvla/openvla (c8f03f4), vla-scripts/deploy.py (`get_openvla_prompt`) and `predict_action` of
prismatic/extern/hf/modeling_prismatic.py; for the older form the same files, "v01".
"""

from __future__ import annotations

from collections.abc import Sequence

QUESTION = "In: What action should the robot take to {instruction}?\nOut:"
VICUNA_QUESTION = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and "
    "polite answers to the user's questions. USER: What action should the robot take to {instruction}? ASSISTANT:"
)
"""Of openvla-v01-7b, whose language model is Vicuna."""
BLANK = 29871
"""Llama's token of a lone blank: the answer began with it in training, and the tokenizer does not write it."""


def prompt(instruction: str, language_model: str = "") -> str:
    """Return the question for an instruction, which is written in small letters as in training.

    Args:
        instruction: what a person said.
        language_model: `llm_backbone_id` of the checkpoint's config.json.
    """
    question = VICUNA_QUESTION if language_model.startswith("vicuna") else QUESTION
    return question.format(instruction=instruction.strip().lower())


def completed(ids: Sequence[int], begin: int, blank: int = BLANK) -> list[int]:
    """Return the ids of a prompt, which begin with `begin` (BOS) and end with `blank`; either is added where it is absent."""
    given = list(ids)
    if given[:1] != [begin]:
        given.insert(0, begin)
    if given[-1] != blank:
        given.append(blank)
    return given
