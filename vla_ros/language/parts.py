"""The words of a sentence with what they can mean, and the parts of clauses that they become."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.language.grammar import Grammar, Sense
from vla_ros.language.steps import ObjectPhrase, Selector

SELECTORS = {selector.name.lower(): selector for selector in Selector}
MARKS = {",": ",", ":": ",", ";": ";", ".": ";", "!": ";", "\n": ";", "?": "?", "¿": "?", "¡": ""}
"""Mark → how it separates: "," may join what belongs together, ";" never does."""


class NotUnderstood(ValueError):
    """The words ask for nothing that can be done; the text says which, and why.

    Attributes:
        unknown: words that are in no list of the grammar.
    """

    def __init__(self, reason: str, unknown: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.unknown = unknown


@dataclass(frozen=True)
class Mention:
    """A noun phrase or a pronoun. several: whether the pronoun means several objects."""

    phrase: ObjectPhrase
    pronoun: bool = False
    several: bool = False


@dataclass(frozen=True)
class ClausePart:
    """One part of a clause.

    Attributes:
        kind: verb, participle, light, object, place, to, from, table, direction, side, distance, hand, home, up, down, air,
            there, person, with, relative, and the joints ",", ";", "and", "then", "but first", "or", "?".
        words: as they were said.
        value: of a verb, relation, direction or side.
        mentions: the objects of an object, a place, a `to` or a `from`.
        metres: of a distance.
        moving: a place that something goes to ("into"), not one where it is ("in").
        weak: a verb that says nothing of its own beside another: "should", "go", "get".
        state: a participle that can tell where something is: "placed".
    """

    kind: str
    words: str
    value: str = ""
    mentions: tuple[Mention, ...] = ()
    metres: float = 0.0
    moving: bool = False
    weak: bool = False
    state: bool = False


@dataclass(frozen=True)
class Item:
    """Words that the grammar lists, and what they can mean. words: "" senses: () for a mark."""

    words: str
    senses: tuple[Sense, ...]
    mark: str = ""

    def sense(self, *kinds: str) -> Sense | None:
        """Return the first sense of one of these kinds."""
        return next((sense for sense in self.senses if sense.kind in kinds), None)


def read_items(grammar: Grammar, text: str) -> list[Item]:
    """Return the words of `text` with their senses, the longest entries first.

    Raises:
        NotUnderstood: words are not known.
    """
    tokens, items, unknown = grammar.tokens(text), [], []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token in MARKS:
            items.append(Item(token, (), MARKS[token]))
            at += 1
            continue
        for length in range(min(grammar.longest, len(tokens) - at), 0, -1):
            words = _entry(grammar, tokens[at : at + length])
            if words in grammar.senses and not _splits_a_noun_phrase(
                grammar, words, tokens[at + length : at + length + 1]
            ):
                items.append(Item(" ".join(words), grammar.senses[words]))
                break
        else:
            length = 1
            if token[0].isdigit():
                items.append(Item(token, (Sense("numbers", token.replace(",", ".")),)))
            else:
                unknown.append(token)
        at += length
    if unknown:
        listed = ", ".join(repr(word) for word in dict.fromkeys(unknown))
        raise NotUnderstood(
            f"I do not know the word{'s' if len(set(unknown)) > 1 else ''} {listed}", tuple(dict.fromkeys(unknown))
        )
    return items


def _entry(grammar: Grammar, tokens: list[str]) -> tuple[str, ...]:
    """Return words as an entry; commas within a polite frame count for nothing: "es wäre nett, wenn"."""
    words = tuple(token for token in tokens if token != ",")
    if len(words) < len(tokens) and (tokens[-1] == "," or not _only_frames(grammar.senses.get(words, ()))):
        return tuple(tokens)
    return words


def _only_frames(senses: tuple[Sense, ...]) -> bool:
    return bool(senses) and all(each.kind == "fillers" or each.value == "belong" for each in senses)


def _splits_a_noun_phrase(grammar: Grammar, words: tuple[str, ...], behind: list[str]) -> bool:
    """Return whether an entry ends within a noun phrase: "on the right" in "on the right one"."""
    senses = [*grammar.senses.get(tuple(behind), ()), *grammar.senses.get((*words[-1:], *behind), ())]
    ends = all(sense.kind in ("sides", "directions") for sense in grammar.senses[words]) and len(words) > 2
    return ends and any(sense.kind in ("shapes", "anything") for sense in senses)
