"""Noun phrases: "the red cube", "it", "the biggest one", "the cube that is not red", "all balls except the blue one"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vla_ros.language.grammar import Sense
from vla_ros.language.parts import SELECTORS, Item, Mention, NotUnderstood
from vla_ros.language.steps import ObjectPhrase, Quantity

QUANTITIES = {quantity.name.lower(): quantity for quantity in Quantity}
NOUN_PARTS = ("quantities", "determiners", "colours", "other_colours", "adjectives", "selectors")
"""Kinds of words that may stand in a noun phrase beside its noun."""
ATTRIBUTES = ("colours", "other_colours", "selectors")
"""Kinds of words that tell one object from others."""
NOUNS = ("shapes", "anything")
SEVERAL = (Quantity.BOTH, Quantity.ALL)
NOTHING = Item("", ())


class ItemCursor:
    """The words of a sentence, and a place among them.

    Args:
        items: as `read_items` returns them.

    Attributes:
        at: number of the next one.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._items, self.at = items, 0

    @property
    def ended(self) -> bool:
        """Whether no word is left."""
        return self.at >= len(self._items)

    def peek(self, ahead: int = 0) -> Item:
        """Return the next word, or one behind it; an empty one where there is none."""
        index = self.at + ahead
        return self._items[index] if index < len(self._items) else NOTHING

    def relative(self) -> int:
        """Return how many words begin a relative clause here, its comma included; 0: none does."""
        comma = self.peek().mark == ","
        kinds = ("relative", "negated_relative", *(("comma_relative",) if comma else ()))
        return 1 + comma if self.peek(int(comma)).sense(*kinds) else 0

    def words_from(self, start: int) -> str:
        """Return the words from number `start` to here, as they were said."""
        return " ".join(item.words or item.mark for item in self._items[start : self.at])


@dataclass
class _Said:
    """A noun phrase so far. named: it has a word that tells which object. shaped: it has its noun."""

    phrase: ObjectPhrase
    named: bool = False
    shaped: bool = False


def read_mentions(cursor: ItemCursor) -> list[Mention]:
    """Return the noun phrases that begin here, joined by "and" or commas, and go behind them; none: there are none."""
    first = read_mention(cursor)
    if first is None:
        return []
    mentions = [first, *read_others(cursor)]
    _skip_floating(cursor, mentions)
    if len(mentions) == 2 and first.phrase.quantity is Quantity.BOTH and not mentions[1].pronoun:
        mentions[0] = replace(
            first, phrase=replace(first.phrase, quantity=Quantity.THE)
        )  # "both the cube and the ball"
    return _with_nouns(mentions)


def read_others(cursor: ItemCursor) -> list[Mention]:
    """Return the noun phrases that are joined to the one before by "and" or a comma."""
    found: list[Mention] = []
    while True:
        start = cursor.at
        while cursor.peek().mark == "," or cursor.peek().sense("and"):
            cursor.at += 1
        mention = read_mention(cursor) if cursor.at > start else None
        if mention is None or cursor.peek().sense("verbs") or (mention.pronoun and not found):
            cursor.at = start
            return found
        # "the ball in the bowl and the cube on the plate": each has a place of its own, told apart later.
        found.append(mention)


def read_mention(cursor: ItemCursor) -> Mention | None:
    """Return the noun phrase or pronoun that begins here, and go behind it; None: there is none.

    Raises:
        NotUnderstood: its words contradict each other.
    """
    start, item = cursor.at, cursor.peek()
    several = item.sense("plural_pronouns")
    if (item.sense("pronouns") or several) and not _noun_follows(cursor):
        cursor.at += 1
        return Mention(ObjectPhrase(), pronoun=True, several=bool(several and not item.sense("pronouns")))
    if item.sense("everything"):
        cursor.at += 1
        return Mention(_but(cursor, ObjectPhrase(quantity=Quantity.ALL)))
    said = _Said(ObjectPhrase())
    while True:
        item = cursor.peek()
        side = item.sense("directions") if item.words in ("left", "right") and _noun_follows(cursor) else None
        sense = item.sense(*NOUNS, *NOUN_PARTS)
        if side is not None and sense is None:
            said.phrase = replace(said.phrase, selector=SELECTORS[item.words])
        elif sense is None or not _take(said, sense, item.words):
            break
        cursor.at += 1
    while said.named and _read_relative(cursor, said):
        pass
    if said.named:
        return Mention(_but(cursor, said.phrase))
    if said.phrase.quantity in (Quantity.OTHER, *SEVERAL):
        return Mention(said.phrase)
    cursor.at = start
    return None


def _take(said: _Said, sense: Sense, words: str) -> bool:
    """Let a word describe the object; return whether it belongs to this noun phrase."""
    phrase = said.phrase
    if said.shaped and sense.kind not in ("selectors", "colours", "other_colours", "adjectives"):
        return False
    if sense.kind in ("colours", "other_colours"):
        said.phrase, said.named = _coloured(phrase, sense.value, words), True
    elif sense.kind in NOUNS:
        quantity = Quantity.ALL if sense.plural and phrase.quantity is Quantity.THE else phrase.quantity
        said.phrase = replace(phrase, shape=sense.value if sense.kind == "shapes" else "", quantity=quantity)
        said.named = said.shaped = True
    elif sense.kind == "quantities":
        if said.named:
            return False
        said.phrase = replace(phrase, quantity=QUANTITIES[sense.value])
    elif sense.kind == "selectors":
        said.phrase, said.named = _selected(phrase, sense.value, words), True
    return True


def _coloured(phrase: ObjectPhrase, colour: str, words: str) -> ObjectPhrase:
    if phrase.colour and phrase.colour != colour:
        raise NotUnderstood(f"{words!r}: an object has one colour; join two objects by 'and'")
    return replace(phrase, colour=colour)


def _selected(phrase: ObjectPhrase, name: str, words: str) -> ObjectPhrase:
    selector = SELECTORS[name]
    if phrase.selector is not None and phrase.selector is not selector:
        raise NotUnderstood(f"{words!r}: say which object, once")
    return replace(phrase, selector=selector)


def _read_relative(cursor: ItemCursor, said: _Said) -> bool:
    """Go behind "that is red", "which is not the blue one", "of the cubes"; return whether it stands here."""
    start = cursor.at
    if not (opening := cursor.relative()):
        return False
    cursor.at += opening
    negated = bool(cursor.peek(-1).sense("negated_relative"))
    needs_verb = not negated and not cursor.peek(-1).sense("relative")  # "der rot ist", not ", der rote …"
    while cursor.peek().sense("determiners", "adjectives") or (
        cursor.peek().sense("quantities") and _noun_follows(cursor)
    ):
        cursor.at += 1
    told = _Said(ObjectPhrase())
    while (sense := cursor.peek().sense(*ATTRIBUTES, *NOUNS)) and _take(told, sense, cursor.peek().words):
        cursor.at += 1
    phrase, more = said.phrase, told.phrase
    clash = more.shape and phrase.shape and more.shape != phrase.shape
    unfinished = needs_verb and not cursor.peek().sense("state_verbs")
    if not told.named or unfinished or (clash and not negated) or (negated and more.selector):
        cursor.at = start
        return False
    if negated:
        other = ObjectPhrase(more.colour, more.shape or phrase.shape)
        said.phrase = replace(phrase, unlike=(*phrase.unlike, other))
        return True
    if more.colour:
        phrase = _coloured(phrase, more.colour, more.colour)
    if more.selector is not None:
        phrase = _selected(phrase, more.selector.name.lower(), more.selector.value)
    quantity = Quantity.THE if more.selector is not None else phrase.quantity
    said.phrase = replace(phrase, shape=phrase.shape or more.shape, quantity=quantity)
    return True


def _but(cursor: ItemCursor, phrase: ObjectPhrase) -> ObjectPhrase:
    """Go behind "except the red one"; return the phrase without it."""
    start = cursor.at
    if not phrase.several or not cursor.peek().sense("but"):
        return phrase
    cursor.at += 1
    others = [first, *read_others(cursor)] if (first := read_mention(cursor)) is not None else []
    if not others or any(other.pronoun or not other.phrase.is_plain for other in others):
        cursor.at = start
        return phrase
    unlike = tuple(ObjectPhrase(each.phrase.colour, each.phrase.shape or phrase.shape) for each in others)
    return replace(phrase, unlike=(*phrase.unlike, *unlike))


def _skip_floating(cursor: ItemCursor, mentions: Sequence[Mention]) -> None:
    """Go behind "each", "both" and "all" that only say again how many: "the cube and the ball both"."""
    sense = cursor.peek().sense("quantities")
    if sense is None or QUANTITIES[sense.value] not in SEVERAL or _noun_follows(cursor):
        return
    plural = any(mention.several or mention.phrase.several for mention in mentions)
    if plural or len(mentions) == 2 or (len(mentions) > 2 and QUANTITIES[sense.value] is Quantity.ALL):
        cursor.at += 1


def _noun_follows(cursor: ItemCursor) -> bool:
    return cursor.peek(1).sense(*NOUNS, *ATTRIBUTES, "adjectives") is not None


def _with_nouns(mentions: list[Mention]) -> list[Mention]:
    """Let "the red and the green cube" be two cubes: a colour without a noun takes the noun of the next."""
    shape, shared = "", any(each.phrase.colour and not each.phrase.shape for each in mentions[:-1])
    found = []
    for mention in reversed(mentions):
        phrase = mention.phrase
        if shared and phrase.quantity is Quantity.ALL and phrase.colour:  # "the red and green cubes": one of each
            phrase = replace(phrase, quantity=Quantity.THE)
        if phrase.colour and not phrase.shape:
            phrase = replace(phrase, shape=shape)
        shape = phrase.shape or shape
        found.append(replace(mention, phrase=phrase))
    return found[::-1]
