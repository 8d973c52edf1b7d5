"""Words to steps: what each step of an instruction wants, and the queries by which its things are found in pictures.

Which words tell a step's side, colours and shapes is found from the sentence as a whole; what they mean is looked up word
by word, and all that follows is made of these meanings. So a colour means the same beside a shape that it has never been
said with.

Source: Russin et al., "Compositional generalization in a deep seq2seq model by separating syntax and semantics", 2019.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vla_ros.policies.compact.layers import Attention, Block
from vla_ros.policies.compact.model_config import COLOURS, SHAPES, SIDES, VERBS, WORDING, Sizes
from vla_ros.policies.compact.vocabulary import PADDING

FAR = -1e4  # added to the score of what is not there
DROPOUT = 0.1
SHARP = 10.0  # of the lexicon: a word tells by e^10
LEXICON = {"side": len(SIDES), "colour": len(COLOURS), "shape": len(SHAPES)}
POINTED = tuple(name.split("_")[-1] for name, _ in WORDING[1:])
"""What is looked up for each part of WORDING but the verb, which only the whole sentence tells."""


class Language(nn.Module):
    """Transformer over words; one learned query per step, one per step and part of WORDING, one for the whole sentence."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim = sizes.dim
        self.embedding = nn.Embedding(sizes.vocabulary, dim)
        self.position = nn.Parameter(0.02 * torch.randn(sizes.words, dim))
        self.blocks = nn.ModuleList(Block(dim, sizes.heads, DROPOUT) for _ in range(sizes.language_layers))
        self.dropout = nn.Dropout(DROPOUT)
        self.norm = nn.LayerNorm(dim)
        self.slots = nn.Parameter(torch.randn(sizes.steps + 1, dim))
        self.read = Attention(dim, sizes.heads)
        self.block = Block(dim, sizes.heads)
        self.step_norm = nn.LayerNorm(dim)
        self.verb = nn.Linear(dim, len(VERBS))
        self.understood = nn.Linear(dim, 1)
        self.where = nn.Linear(dim, dim)
        self.pointers = nn.Parameter(dim**-0.5 * torch.randn(sizes.steps, len(POINTED), dim))
        self.nowhere = nn.Parameter(torch.zeros(sizes.steps, len(POINTED), 1))
        self.lexicon = nn.ParameterDict(
            {kind: nn.Parameter(0.02 * torch.randn(sizes.vocabulary, LEXICON[kind])) for kind in LEXICON}
        )
        self.unsaid = nn.ParameterDict({kind: nn.Parameter(torch.zeros(LEXICON[kind])) for kind in LEXICON})
        self.meaning = nn.Linear(len(VERBS) + LEXICON["side"] + 2 * LEXICON["shape"], dim)
        self.thing = nn.Linear(LEXICON["colour"] + LEXICON["shape"], sizes.key)

    def forward(self, words: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return steps (B, S, dim), queries (B, S, 2, key), wording (B, S, logits as in WORDING), understood (B,) logit.

        Args:
            words: (B, L) int64 of the vocabulary, PADDING behind the last.
            seen: the same for the transformer alone; training hides words from it that the lexicon knows.
        """
        bias = FAR * (words == PADDING).to(self.position.dtype)[:, None, None, :]
        x = self.dropout(self.embedding(words if seen is None else seen)) + self.position
        for block in self.blocks:
            x = block(x, bias)
        x = self.norm(x)
        slots = self.slots.expand(len(words), -1, -1)
        steps = self.step_norm(self.block(slots + self.read(slots, x, bias)))
        verb = self.verb(steps[:, :-1])
        scores = torch.einsum("spd,bld->bspl", self.pointers, self.where(x)) + bias
        share = torch.cat([self.nowhere.expand(len(words), -1, -1, -1), scores], -1).softmax(-1)
        parts = [verb]
        for part, kind in enumerate(POINTED):
            unsaid = self.unsaid[kind].expand(len(words), 1, -1)
            parts.append(SHARP * (share[:, :, part] @ torch.cat([unsaid, self.lexicon[kind][words]], 1)))
        # Pictures and motions teach what meanings look like, not what words mean.
        verb, side, x_colour, x_shape, y_colour, y_shape = (part.softmax(-1).detach() for part in parts)
        each = self.meaning(torch.cat([verb, side, x_shape, y_shape], -1))
        things = torch.stack([torch.cat([x_colour, x_shape], -1), torch.cat([y_colour, y_shape], -1)], 2)
        return each, self.thing(things), torch.cat(parts, -1), self.understood(steps[:, -1])[:, 0]
