"""Tokens: one index for each word and punctuation mark, saved with the checkpoint."""

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
TOKEN = re.compile(r"[a-z0-9]+|[,;.]")


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words and the marks , ; . — other characters are dropped."""
    return TOKEN.findall(text.lower().replace("'", ""))


class Vocabulary:
    """The words of the training instructions; every other one is UNKNOWN.

    Args:
        words: the first has index 2.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._index = {word: 2 + index for index, word in enumerate(self.words)}

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """Return the vocabulary of all words of `texts`, sorted."""
        return cls(sorted({word for text in texts for word in tokenize(text)}))

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
        """Write it into the folder of a checkpoint."""
        (folder / FILE).write_text(json.dumps(self.words) + "\n")

    def __len__(self) -> int:
        return len(self.words) + 2

    def encode(self, text: str, length: int) -> NDArray[np.int64]:
        """Return (length,) indices, PADDING after the last word; longer texts are cut."""
        indices = [self._index.get(word, UNKNOWN) for word in tokenize(text)][:length]
        return np.array(indices + [PADDING] * (length - len(indices)), np.int64)

    def unknown(self, text: str) -> list[str]:
        """Return the words of `text` that are not in the vocabulary."""
        return [word for word in tokenize(text) if word not in self._index]
