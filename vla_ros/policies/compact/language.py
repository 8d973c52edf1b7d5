"""Instruction to steps: the fields of each step, and the queries by which its objects are found in images.

A transformer over the whole instruction points at the tokens of a step's side, colours and shapes. Their meaning is looked
up token by token in a lexicon, and everything downstream is computed from these meanings. So a colour means the same with a
shape that training never combines it with.

Source: Russin et al., "Compositional generalization in a deep seq2seq model by separating syntax and semantics", 2019.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Attention, Block
from vla_ros.policies.compact.model_config import COLOURS, SHAPES, SIDES, STEP_FIELDS, VERBS, Sizes
from vla_ros.policies.compact.vocabulary import PADDING

MASKED = -1e4  # added to the scores of padding
DROPOUT = 0.1
LEXICON_SCALE = 10.0  # of the logits that the lexicon holds
LEXICON_SIZES = {"side": len(SIDES), "colour": len(COLOURS), "shape": len(SHAPES)}
POINTED_KINDS = tuple(name.split("_")[-1] for name, _ in STEP_FIELDS[1:])
"""Kind of token that is looked up for each of STEP_FIELDS but the verb, which depends on the whole instruction."""


class Language(nn.Module):
    """Transformer over tokens, with a learned query for each step, for each pointed field of a step and for the whole."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.embedding = nn.Embedding(sizes.vocabulary, dim)
        self.position = nn.Parameter(0.02 * torch.randn(sizes.words, dim))
        self.blocks = nn.ModuleList(Block(dim, sizes.heads, DROPOUT) for _ in range(sizes.language_layers))
        self.dropout = nn.Dropout(DROPOUT)
        self.norm = nn.LayerNorm(dim)
        self.step_queries = nn.Parameter(torch.randn(sizes.steps + 1, dim))
        self.cross_attention = Attention(dim, sizes.heads)
        self.block = Block(dim, sizes.heads)
        self.step_norm = nn.LayerNorm(dim)
        self.verb = nn.Linear(dim, len(VERBS))
        self.understood = nn.Linear(dim, 1)
        self.pointer_keys = nn.Linear(dim, dim)
        self.pointers = nn.Parameter(dim**-0.5 * torch.randn(sizes.steps, len(POINTED_KINDS), dim))
        self.pointer_none = nn.Parameter(torch.zeros(sizes.steps, len(POINTED_KINDS), 1))
        self.lexicon = nn.ParameterDict(
            {kind: nn.Parameter(0.02 * torch.randn(sizes.vocabulary, LEXICON_SIZES[kind])) for kind in LEXICON_SIZES}
        )
        self.lexicon_default = nn.ParameterDict(
            {kind: nn.Parameter(torch.zeros(LEXICON_SIZES[kind])) for kind in LEXICON_SIZES}
        )
        self.step_meaning = nn.Linear(len(VERBS) + LEXICON_SIZES["side"] + 2 * LEXICON_SIZES["shape"], dim)
        self.object_query = nn.Linear(LEXICON_SIZES["colour"] + LEXICON_SIZES["shape"], sizes.key)

    def forward(self, tokens: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Read instructions.

        Args:
            tokens: (B, L) int64 of the vocabulary, PADDING after the last.
            hidden: the same for the transformer alone; training hides tokens from it that the lexicon is given.

        Returns:
            steps: (B, S, dim). queries: (B, S, 2, key). fields: (B, S, logits of STEP_FIELDS). understood: (B,) logit.
        """
        bias = MASKED * (tokens == PADDING).to(self.position.dtype)[:, None, None, :]
        x = self.dropout(self.embedding(tokens if hidden is None else hidden)) + self.position
        for block in self.blocks:
            x = block(x, bias)
        x = self.norm(x)
        learned = self.step_queries.expand(len(tokens), -1, -1)
        steps = self.step_norm(self.block(learned + self.cross_attention(learned, x, bias)))
        verb = self.verb(steps[:, :-1])
        scores = torch.einsum("spd,bld->bspl", self.pointers, self.pointer_keys(x)) + bias
        share = torch.cat([self.pointer_none.expand(len(tokens), -1, -1, -1), scores], -1).softmax(-1)
        parts = [verb]
        for part, kind in enumerate(POINTED_KINDS):
            default = self.lexicon_default[kind].expand(len(tokens), 1, -1)
            parts.append(LEXICON_SCALE * (share[:, :, part] @ torch.cat([default, self.lexicon[kind][tokens]], 1)))
        # The losses of images and motions must not change what tokens mean.
        verb, side, x_colour, x_shape, y_colour, y_shape = (part.softmax(-1).detach() for part in parts)
        meaning = self.step_meaning(torch.cat([verb, side, x_shape, y_shape], -1))
        objects = torch.stack([torch.cat([x_colour, x_shape], -1), torch.cat([y_colour, y_shape], -1)], 2)
        return meaning, self.object_query(objects), torch.cat(parts, -1), self.understood(steps[:, -1])[:, 0]
