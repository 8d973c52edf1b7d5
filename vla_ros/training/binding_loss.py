"""What a clause means does not depend on the clause beside it: the language learns from itself, without pictures.

Pictures are dear, and few of them come with two steps whose colours could be mixed up. A sentence of two clauses is therefore
taught to ask for what each clause asks for when it is said alone.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vla_ros.policies.compact.configuration import Sizes
from vla_ros.policies.compact.language import Language
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.training import sentences
from vla_ros.training.planning_loss import encoded, sentence_loss

TWO = 0.75  # share of sentences with two clauses
SHAPES = ("cube", "cube", "cylinder", "cylinder", "ball", "ball")  # on an imagined table: no name is ambiguous


def binding_losses(
    language: Language, teacher: Language, vocabulary: Vocabulary, sizes: Sizes, count: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Return the losses of `count` sentences.

    Args:
        teacher: the language as it was, which understands clauses that are said alone.
    """
    texts, wishes, alone = [], [], []
    for _ in range(count):
        asked = [sentences.random_wish(rng) for _ in range(1 + (rng.random() < TWO))]
        parts = sentences.clauses(rng, asked, SHAPES)
        texts.append(sentences.joined(rng, parts))
        wishes.append(
            [*(wish.indices() for wish in asked), *[sentences.NOTHING.indices()] * sizes.steps][: sizes.steps]
        )
        alone.append(parts)
    steps, queries, wording, understood = language(encoded(vocabulary, texts, sizes, rng).to(language.position.device))
    said = torch.from_numpy(np.stack([vocabulary.encode(part, sizes.words) for parts in alone for part in parts]))
    with torch.no_grad():
        true_steps, true_queries, _, _ = teacher(said.to(steps.device))
    sentence = torch.tensor([index for index, parts in enumerate(alone) for _ in parts], device=steps.device)
    step = torch.tensor([index for parts in alone for index in range(len(parts))], device=steps.device)
    sense = torch.ones(count, device=steps.device)
    return {
        "words": sentence_loss(wording, understood, torch.tensor(wishes, device=steps.device), sense),
        "asks": functional.mse_loss(queries[sentence, step], true_queries[:, 0]) / true_queries[:, 0].var(),
        "means": functional.mse_loss(steps[sentence, step], true_steps[:, 0]) / true_steps[:, 0].var(),
    }
