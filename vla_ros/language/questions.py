"""Questions: what is in view, where something is, how many there are, what colour it has. Nothing moves for them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vla_ros.language.clause_reader import Context, described_objects
from vla_ros.language.grammar import Grammar
from vla_ros.language.part_reader import read_parts
from vla_ros.language.parts import ClausePart, Item, NotUnderstood, read_items
from vla_ros.language.steps import ObjectPhrase, Quantity

ABOUT_OBJECTS = ("where", "many", "colour", "is")
"""Kinds of questions that name an object."""
LEFT_OUT = (",", ";", "?", "there", "table")
"""Kinds of parts that say nothing in a question."""


@dataclass(frozen=True)
class AskedQuestion:
    """A question.

    Attributes:
        kind: see, where, many, colour, is, can, hold or doing.
        object: of where, many, colour and is, with the place that "is" asks for; None: of the others.
    """

    kind: str
    object: ObjectPhrase | None = None


def read_question(grammar: Grammar, text: str) -> AskedQuestion | None:
    """Return the question that `text` asks; None: it asks none.

    Raises:
        NotUnderstood: words are not known, or the question has parts that it has no use for.
    """
    items = read_items(grammar, text)
    items = list(itertools.dropwhile(lambda item: not item.sense("questions") and _is_filler(item), items))
    sense = items[0].sense("questions") if items else None
    if sense is None or (items[0].sense("verbs") and len(items) > 1):
        return None
    parts = read_parts(items[1:])
    if items[0].sense("fillers") and any(part.kind == "verb" and not part.weak for part in parts):
        return None  # "help me put the cube in the bowl"
    if sense.value in ABOUT_OBJECTS:
        return AskedQuestion(sense.value, _asked_object(parts, items[0].words, sense.value))
    rest = [part for part in parts if part.kind not in (*LEFT_OUT, "hand")]
    if rest:
        raise NotUnderstood(f"{rest[0].words!r} is left over in the question {items[0].words!r}")
    return AskedQuestion(sense.value)


def _is_filler(item: Item) -> bool:
    return not item.senses or item.sense("fillers") is not None


def _asked_object(parts: Sequence[ClausePart], words: str, kind: str) -> ObjectPhrase:
    """Return the one object that a question is about."""
    kept = [part for part in parts if part.kind not in LEFT_OUT and not (part.kind == "verb" and part.weak)]
    objects, others = described_objects(kept, Context())
    if others:
        raise NotUnderstood(f"{others[0].words!r} is left over in the question {words!r}")
    if len(objects) != 1:
        raise NotUnderstood(f"{words!r}: which object? One at a time")
    phrase = objects[0]
    if kind == "is" and phrase.relation is None and phrase.selector is None:
        raise NotUnderstood(f"{words!r} {phrase}: say where, for example 'is the red cube in the bowl?'")
    return replace(phrase, quantity=Quantity.ALL) if kind == "many" else phrase
