"""Words to steps: what each step of an instruction wants, and the queries by which its things are found in pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.configuration import ROLES, WORDING, Sizes
from vla_ros.policies.compact.layers import Attention, Block
from vla_ros.policies.compact.vocabulary import PADDING

FAR = -1e4  # added to the score of what is not there


class Language(nn.Module):
    """Transformer over words, read by one learned query per step and one for the whole sentence."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.embedding = nn.Embedding(sizes.vocabulary, dim)
        self.position = nn.Parameter(0.02 * torch.randn(sizes.words, dim))
        self.blocks = nn.ModuleList(Block(dim, sizes.heads) for _ in range(sizes.language_layers))
        self.norm = nn.LayerNorm(dim)
        self.slots = nn.Parameter(torch.randn(sizes.steps + 1, dim))
        self.read = Attention(dim, sizes.heads)
        self.block = Block(dim, sizes.heads)
        self.step_norm = nn.LayerNorm(dim)
        self.wording = nn.Linear(dim, sum(len(words) for _, words in WORDING))
        self.queries = nn.Linear(dim, len(ROLES) * sizes.key)
        self.understood = nn.Linear(dim, 1)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return steps (B, S, dim), queries (B, S, 2, key), wording (B, S, logits as in WORDING), understood (B,) logit.

        Args:
            words: (B, L) int64 of the vocabulary, PADDING behind the last.
        """
        bias = FAR * (words == PADDING).to(self.position.dtype)[:, None, None, :]
        x = self.embedding(words) + self.position
        for block in self.blocks:
            x = block(x, bias)
        slots = self.slots.expand(len(words), -1, -1)
        steps = self.step_norm(self.block(slots + self.read(slots, self.norm(x), bias)))
        each = steps[:, :-1]
        queries = self.queries(each).view(*each.shape[:2], len(ROLES), -1)
        return each, queries, self.wording(each), self.understood(steps[:, -1])[:, 0]
