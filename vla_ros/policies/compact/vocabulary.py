"""Words to numbers: one index per word, saved with the checkpoint."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_ros.parameters import ParameterError

PADDING, UNKNOWN = 0, 1
FILE = "vocabulary.json"
WORD = re.compile(r"[a-z0-9]+|[,;.]")


def words_of(text: str) -> list[str]:
    """Split into lower-case words; commas, semicolons and full stops are words, other signs vanish."""
    return WORD.findall(text.lower().replace("'", ""))


class Vocabulary:
    """The words of the training sentences; every other one is UNKNOWN.

    Args:
        words: index 2 is the first.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._index = {word: 2 + index for index, word in enumerate(self.words)}

    @classmethod
    def of(cls, sentences: Iterable[str]) -> Vocabulary:
        """Return all words of `sentences`, sorted."""
        return cls(sorted({word for sentence in sentences for word in words_of(sentence)}))

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """Read what `save` wrote.

        Raises:
            ParameterError: the file is missing or broken.
        """
        path = folder / FILE
        try:
            return cls(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise ParameterError(f"compact.checkpoint: {path}: {error}") from None

    def save(self, folder: Path) -> None:
        """Write it beside the weights."""
        (folder / FILE).write_text(json.dumps(self.words) + "\n")

    def __len__(self) -> int:
        return len(self.words) + 2

    def encode(self, text: str, length: int) -> NDArray[np.int64]:
        """Return (length,) indices, PADDING behind the last word; what is longer is cut."""
        indices = [self._index.get(word, UNKNOWN) for word in words_of(text)][:length]
        return np.array(indices + [PADDING] * (length - len(indices)), np.int64)

    def unknown(self, text: str) -> list[str]:
        """Return the words of `text` that it does not hold."""
        return [word for word in words_of(text) if word not in self._index]
