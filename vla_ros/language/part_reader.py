"""Words to the parts of a clause: verbs, objects, places, directions. Every word belongs to a part or is filler."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.language.noun_phrases import ItemCursor, read_mention, read_mentions, read_others
from vla_ros.language.parts import ClausePart, Item, NotUnderstood
from vla_ros.language.steps import Relation

SIMPLE = {
    "verbs": "verb",
    "participles": "participle",
    "directions": "direction",
    "sides": "side",
    "light_verbs": "light",
    **{kind: kind for kind in ("hand", "home", "air", "up", "down", "there", "table", "person", "with")},
}
"""Kind of word → kind of part that it is by itself."""
WEAK = ("belong", "go", "have")
"""Verbs that say nothing of their own beside another one."""
JOINTS = ("then", "but_first", "and", "or")
PLACES = ("relations", "from", "sides", "directions")
"""Kinds of words that can begin a place in a relative clause."""
MOVING = ("into", "onto")


def read_parts(items: Sequence[Item]) -> list[ClausePart]:
    """Return the parts of a sentence in order, joints included.

    Raises:
        NotUnderstood: a word fits in no part.
    """
    return _PartReader(ItemCursor(items)).read()


class _PartReader:
    def __init__(self, cursor: ItemCursor) -> None:
        self._cursor = cursor

    def read(self) -> list[ClausePart]:
        parts: list[ClausePart] = []
        while not self._cursor.ended:
            part = self._next()
            if part is not None:
                parts.append(part)
        return parts

    def _next(self) -> ClausePart | None:
        item = self._cursor.peek()
        relative = self._relative()
        if relative is not None:
            return relative
        if not item.senses:
            self._cursor.at += 1
            return ClausePart(item.mark, item.words) if item.mark else None
        for read in (self._joint, self._distance, self._place, self._object, self._simple):
            part = read(item)
            if part is not None:
                return part
        if item.sense("fillers", "by"):
            self._cursor.at += 1
            return None
        if item.sense("determiners", "quantities") and self._cursor.peek(1).words:
            said = f"{item.words} {self._cursor.peek(1).words}"
            raise NotUnderstood(
                f"{said!r}: which object? Say its colour and shape, or 'on the left', 'the nearest one'"
            )
        raise NotUnderstood(f"{item.words!r} makes no sense where it stands")

    def _relative(self) -> ClausePart | None:
        """Return the beginning of "that is on the left", "which stands next to the bowl"."""
        opening = self._cursor.relative()
        if not opening or self._cursor.peek(opening - 1).sense("negated_relative", "participles"):
            return None  # a participle may be the verb, which the clause tells
        following = self._cursor.peek(opening)
        state = following.sense("participles") and following.sense("relative")
        if not (following.sense(*PLACES) or state):
            return None
        start = self._cursor.at
        self._cursor.at += opening + bool(state)
        return ClausePart("relative", self._cursor.words_from(start))

    def _joint(self, item: Item) -> ClausePart | None:
        for kind in JOINTS:
            if item.sense(kind):
                self._cursor.at += 1
                return ClausePart(kind.replace("_", " "), item.words)
        return None

    def _distance(self, item: Item) -> ClausePart | None:
        """Return "10 cm" or "an inch"; a number that stands for objects is part of their phrase."""
        unit = self._cursor.peek(1).sense("units_cm")
        number = item.sense("numbers")
        one = item.sense("quantities")
        if unit and (number or (one and one.value == "any")):
            words = f"{item.words} {self._cursor.peek(1).words}"
            self._cursor.at += 2
            metres = float(number.value[:20] if number else 1) * float(unit.value) / 100
            return ClausePart("distance", words, metres=metres)
        if number and not any(sense.kind in ("anything", "quantities") for sense in item.senses):
            raise NotUnderstood(
                f"the number {item.words!r} fits nothing: say a distance as '10 cm', or name the objects"
            )
        return None

    def _place(self, item: Item) -> ClausePart | None:
        """Return "in the bowl", "to the cube", "from the table"; a preposition with nothing behind is a place, too."""
        sense = item.sense("relations") or item.sense("to", "from")
        if sense is None:
            return None
        start = self._cursor.at
        self._cursor.at += 1
        following = self._cursor.peek()
        if following.sense("table"):
            self._cursor.at += 1
            return _of_table(
                sense.kind, sense.value, self._cursor.words_from(start), item.sense("directions") is not None
            )
        if sense.kind == "to" and following.sense("home"):
            self._cursor.at += 1
            return ClausePart("home", self._cursor.words_from(start))
        mention = read_mention(self._cursor)
        if mention is None:
            if item.sense("fillers", "directions", "up", "down", "by") or sense.kind == "to":
                self._cursor.at = start
                return None
            if sense.kind == "from":
                raise NotUnderstood(f"{item.words!r}: from what?")
            return ClausePart("place", item.words, sense.value, moving=sense.value in MOVING)
        mentions = [mention]
        if sense.value == Relation.BETWEEN.value:
            mentions += read_others(self._cursor)
        kind = "place" if sense.kind == "relations" else sense.kind
        words = self._cursor.words_from(start)
        return ClausePart(kind, words, sense.value, tuple(mentions), moving=sense.value in MOVING)

    def _object(self, item: Item) -> ClausePart | None:
        start, mentions = self._cursor.at, read_mentions(self._cursor)
        if not mentions:
            return None
        return ClausePart("object", self._cursor.words_from(start), mentions=tuple(mentions))

    def _simple(self, item: Item) -> ClausePart | None:
        for kind, name in SIMPLE.items():
            sense = item.sense(kind)
            if sense is not None:
                self._cursor.at += 1
                weak = any(each.kind == "verbs" and each.value in WEAK for each in item.senses)
                state = kind == "participles" and item.sense("relative") is not None
                return ClausePart(name, item.words, sense.value, weak=weak, state=state)
        return None


def _of_table(kind: str, relation: str, words: str, goes: bool) -> ClausePart:
    """Return a place of the table. goes: the words can also say where to."""
    if kind == "from":
        return ClausePart("from_table", words)
    if kind == "to" or relation in (Relation.ON.value, "onto"):
        return ClausePart("table", words)
    if relation in (Relation.LEFT_OF.value, Relation.RIGHT_OF.value):
        return ClausePart("side", words, relation.removesuffix(" of"))
    raise NotUnderstood(f"{words!r}: only a side of the table can be said, or 'on the table'")
