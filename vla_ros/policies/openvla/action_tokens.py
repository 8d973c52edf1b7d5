"""Action tokens: the last words of the vocabulary stand for the bins of a value from -1 to 1.

Source: Kim et al., "OpenVLA", arXiv 2406.09246, section 3.2; openvla/openvla (c8f03f4), prismatic/vla/action_tokenizer.py and
`predict_action` of prismatic/extern/hf/modeling_prismatic.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array


class NoActionToken(ValueError):
    """The model answered with a word that stands for no action."""


class ActionTokens:
    """Token ids ↔ values in [-1, 1].

    `bins` edges from -1 to 1 have `bins - 1` centres between them. The value x gets the digit d in 1..bins, the number
    of edges ≤ x, and the token `vocabulary - d`; d = bins, x = 1 alone, counts as the last interval. So for Llama 2
    (32000 words, 256 edges) ids 31744..31999 are action tokens: 31999 stands for -0.996, 31744 and 31745 for 0.996.

    Args:
        vocabulary: words of the tokenizer without what the embedding is padded with.
        bins: number of edges.

    Attributes:
        centres: (bins - 1,) value of each interval.
        first, last: smallest and largest id.
    """

    def __init__(self, vocabulary: int, bins: int = 256) -> None:
        edges = np.linspace(-1.0, 1.0, bins)
        self._edges = edges
        self.centres: Array = (edges[:-1] + edges[1:]) / 2.0
        self.first, self.last = vocabulary - bins, vocabulary - 1

    def values(self, ids: Sequence[int] | NDArray[np.int64]) -> Array:
        """Return (len(ids),) the centre of each token's interval.

        Raises:
            NoActionToken: an id lies outside of first..last. The authors' code clips such an id to the nearest interval,
                which makes the largest motion out of any other word; here it is an error.
        """
        given = np.asarray(ids, np.int64)
        wrong = given[(given < self.first) | (given > self.last)]
        if wrong.size:
            raise NoActionToken(
                f"the model answered with token {int(wrong[0])}, which stands for no action "
                f"({self.first} to {self.last} do); it was not trained for such images or words"
            )
        digits = self.last + 1 - given
        value: Array = self.centres[np.clip(digits - 1, 0, len(self.centres) - 1)]
        return value

    def ids(self, values: Array) -> NDArray[np.int64]:
        """Return (n,) the token of each value, which is clipped to [-1, 1]."""
        digits = np.digitize(np.clip(values, -1.0, 1.0), self._edges)
        tokens: NDArray[np.int64] = self.last + 1 - digits.astype(np.int64)
        return tokens
