"""Instruction to steps: what the network reads out of it, and the checks by which an instruction is refused."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.compact.checkpoint import Checkpoint
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.policies.compact.model_config import COLOURS, ROLES, SIDES, STEP_FIELDS
from vla_ros.policies.compact.vocabulary import tokenize
from vla_ros.tasks.vocabulary import ADJECTIVES, CONTAINERS, NOUNS

MIN_OBJECT_PROBABILITY = 0.8  # of a colour or a shape, from which an object counts as named
COLOUR_OF = {word: colour for colour in COLOURS[1:] for word in (colour, *ADJECTIVES.get(colour, ()))}
SHAPE_OF = {word: shape for shape, nouns in NOUNS.items() for word in nouns}
# Words that some step must contain when they are said. Other nouns need not: "can" is a verb too, and a colour is enough.
REQUIRED = (
    COLOUR_OF | {word: shape for word, shape in SHAPE_OF.items() if shape in CONTAINERS} | {s: s for s in SIDES[1:]}
)
CLAUSE_BOUNDARY = re.compile(r"[,;.]|\bthen\b")


@dataclass(frozen=True)
class ParsedInstruction:
    """What an instruction asks for.

    Attributes:
        embeddings: (1, steps, dim) of the steps, for the fusion.
        queries: (1, steps, 2, key) by which x and y are found in images.
        parsed_steps: for each step, field of STEP_FIELDS → value.
        understood: probability that the instruction makes sense.
        refusal: why it cannot be carried out; empty where it can.
    """

    embeddings: NDArray[np.float32]
    queries: NDArray[np.float32]
    parsed_steps: tuple[Mapping[str, str], ...]
    understood: float
    refusal: str


class InstructionParser:
    """Reads instructions.

    Args:
        checkpoint: with the vocabulary.
        graphs: with the graph "language".
        min_understood: an instruction that makes sense with less probability is refused.
    """

    def __init__(self, checkpoint: Checkpoint, graphs: Graphs, min_understood: float) -> None:
        self._vocabulary, self._max_tokens = checkpoint.vocabulary, checkpoint.sizes.words
        self._graphs, self._min_understood = graphs, min_understood

    def parse(self, text: str) -> ParsedInstruction:
        """Return the steps of an instruction, or why it is refused."""
        tokens = tokenize(text)
        if len(tokens) > self._max_tokens:
            return _refused(f"not understood; longer than {self._max_tokens} words and signs")
        if "or" in tokens:
            return _refused('not understood; say which one, without "or"')
        encoded = self._vocabulary.encode(text, self._max_tokens)
        embeddings, queries, fields, logit = self._graphs("language", encoded[None])
        steps = [parsed_step(row) for row in fields[0]]
        verbs = [step["verb"] for step in steps]
        count = verbs.index("none") if "none" in verbs else len(verbs)
        unknown, left_over = self._vocabulary.unknown(text), missing_words(text, steps[:count])
        understood = 0.0
        if (
            count
            and all(names_objects(row) for row in fields[0][:count])
            and not _unknown_object(tokens, unknown)
            and not left_over
        ):
            understood = 1 / (1 + math.exp(-float(logit[0])))
        refusal = ""
        if understood <= 0 or understood < self._min_understood:
            reasons = {"unknown words": unknown, "left over": left_over}
            listed = (f"{name}: {', '.join(words)}" for name, words in reasons.items() if words)
            refusal = "; ".join(["not understood", *listed])
        return ParsedInstruction(embeddings, queries, tuple(steps[:count]), understood, refusal)


def parsed_step(logits: NDArray[np.float32]) -> dict[str, str]:
    """Return field → most probable value, from the logits (n,) of STEP_FIELDS."""
    step, first = {}, 0
    for field, values in STEP_FIELDS:
        step[field] = values[int(logits[first : first + len(values)].argmax())]
        first += len(values)
    return step


def names_objects(logits: NDArray[np.float32]) -> bool:
    """Return whether known words name, by colour or by shape, the object that a step moves and the one it is moved to.

    Args:
        logits: (n,) of STEP_FIELDS.
    """
    ends = np.cumsum([len(values) for _, values in STEP_FIELDS])[:-1]
    probabilities = {
        field: np.exp(part - part.max()) / np.exp(part - part.max()).sum()
        for (field, _), part in zip(STEP_FIELDS, np.split(logits.astype(np.float64), ends), strict=True)
    }
    named = {
        role: max(probabilities[f"{role}_colour"][1:].max(), probabilities[f"{role}_shape"][1:].max()) for role in ROLES
    }
    without_y = probabilities["y_shape"].argmax() == 0
    return bool(named["x"] > MIN_OBJECT_PROBABILITY and (named["y"] > MIN_OBJECT_PROBABILITY or without_y))


def missing_words(text: str, parsed_steps: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the colours, containers and sides of `text` that no step contains: part of the instruction was not parsed.

    A name in several clauses must be in as many steps. An object without a colour may be of any.
    """
    clauses = [{REQUIRED[word] for word in tokenize(clause) if word in REQUIRED} for clause in _clauses(text)]
    said = Counter(name for clause in clauses for name in clause)
    missing = said - Counter(value for step in parsed_steps for value in step.values())
    shapes = [step[f"{role}_shape"] for step in parsed_steps for role in ROLES if step[f"{role}_colour"] == "none"]
    colourless = sum(shape not in ("none", *CONTAINERS) for shape in shapes)
    return sorted(missing) if missing.total() > colourless else []


def _clauses(text: str) -> list[str]:
    return CLAUSE_BOUNDARY.split(text.lower())


def _unknown_object(tokens: Sequence[str], unknown: Sequence[str]) -> bool:
    """Return whether an unknown word names or describes an object.

    "The red spoon" contains a colour, but means no red cube; and "the pink cube" means no cube.
    """
    return any(
        word in unknown and (before in COLOUR_OF or (before == "the" and after in SHAPE_OF))
        for before, word, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
    )


def _refused(refusal: str) -> ParsedInstruction:
    nothing = np.zeros((1, 0), np.float32)
    return ParsedInstruction(nothing, nothing, (), 0.0, refusal)
