"""Words to the parts of a clause: verbs, objects, places, directions. Every word belongs to a part or is filler."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vla_ros.language.grammar import Grammar, Sense
from vla_ros.language.steps import ObjectPhrase, Quantity, Relation, Selector

SELECTORS = {selector.name.lower(): selector for selector in Selector}
QUANTITIES = {quantity.name.lower(): quantity for quantity in Quantity}
NOUN_PARTS = ("quantities", "determiners", "colours", "other_colours", "adjectives", "selectors")
"""Kinds of words that may stand in a noun phrase beside its noun."""
SIMPLE = {"verbs": "verb", "directions": "direction", "sides": "side", "light_verbs": "light"} | {
    kind: kind for kind in ("hand", "home", "air", "up", "down", "there", "table")
}
"""Kind of word → kind of part that it is by itself."""
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
        kind: verb, light, object, place, to, from, table, direction, side, distance, hand, home, up, down, air, there, and
            the joints ",", ";", "and", "then", "but first", "or", "?".
        words: as they were said.
        value: of a verb, relation, direction or side.
        mentions: the objects of an object, a place, a `to` or a `from`.
        metres: of a distance.
        moving: a place that something goes to ("into"), not one where it is ("in").
    """

    kind: str
    words: str
    value: str = ""
    mentions: tuple[Mention, ...] = ()
    metres: float = 0.0
    moving: bool = False


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
            words = tuple(tokens[at : at + length])
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


def _splits_a_noun_phrase(grammar: Grammar, words: tuple[str, ...], behind: list[str]) -> bool:
    """Return whether an entry ends within a noun phrase: "on the right" in "on the right one"."""
    senses = [*grammar.senses.get(tuple(behind), ()), *grammar.senses.get((*words[-1:], *behind), ())]
    ends = all(sense.kind in ("sides", "directions") for sense in grammar.senses[words]) and len(words) > 2
    return ends and any(sense.kind in ("shapes", "anything") for sense in senses)


def read_parts(items: list[Item]) -> list[ClausePart]:
    """Return the parts of a sentence in order, joints included.

    Raises:
        NotUnderstood: a word fits in no part.
    """
    return _PartReader(items).read()


class _PartReader:
    def __init__(self, items: list[Item]) -> None:
        self._items, self._at = items, 0

    def read(self) -> list[ClausePart]:
        parts: list[ClausePart] = []
        while self._at < len(self._items):
            part = self._next()
            if part is not None:
                parts.append(part)
        return parts

    def _peek(self, ahead: int = 0) -> Item:
        index = self._at + ahead
        return self._items[index] if index < len(self._items) else Item("", ())

    def _next(self) -> ClausePart | None:
        item = self._peek()
        if not item.senses:
            self._at += 1
            return ClausePart(item.mark, item.words) if item.mark else None
        for read in (self._joint, self._distance, self._place, self._object, self._simple):
            part = read(item)
            if part is not None:
                return part
        if item.sense("fillers", "by"):
            self._at += 1
            return None
        raise NotUnderstood(f"{item.words!r} makes no sense where it stands")

    def _joint(self, item: Item) -> ClausePart | None:
        for kind in ("then", "but_first", "and", "or"):
            if item.sense(kind):
                self._at += 1
                return ClausePart(kind.replace("_", " "), item.words)
        return None

    def _distance(self, item: Item) -> ClausePart | None:
        """Return "10 cm"; a number that stands for objects is part of their phrase."""
        number = item.sense("numbers")
        unit = self._peek(1).sense("units_cm") if number else None
        if number and unit:
            words = f"{item.words} {self._peek(1).words}"
            self._at += 2
            return ClausePart("distance", words, metres=float(number.value[:20]) * float(unit.value) / 100)
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
        start = self._at
        self._at += 1
        following = self._peek()
        if following.sense("table"):
            self._at += 1
            name = f"{item.words} {following.words}"
            if sense.kind == "from":
                return ClausePart("from_table", name)
            if sense.kind == "to" or sense.value in ("on", "onto"):
                return ClausePart("table", name)
            if sense.value in ("left of", "right of"):
                return ClausePart("side", name, sense.value.removesuffix(" of"))
            raise NotUnderstood(f"{name!r}: only a side of the table can be said, or 'on the table'")
        if sense.kind == "to" and following.sense("home"):
            self._at += 1
            return ClausePart("home", f"{item.words} {following.words}")
        mention = self._mention()
        if mention is None:
            if item.sense("fillers", "directions", "up", "down", "by") or sense.kind == "to":
                self._at = start
                return None
            if sense.kind == "from":
                raise NotUnderstood(f"{item.words!r}: from what?")
            return ClausePart("place", item.words, sense.value, moving=sense.value in ("into", "onto"))
        mentions = [mention]
        if sense.value == Relation.BETWEEN.value:
            mentions += self._others()
        words = " ".join(each.words for each in self._items[start : self._at])
        kind = "place" if sense.kind == "relations" else sense.kind
        return ClausePart(kind, words, sense.value, tuple(mentions), moving=sense.value in ("into", "onto"))

    def _object(self, item: Item) -> ClausePart | None:
        start, mention = self._at, self._mention()
        if mention is None:
            return None
        mentions = [mention, *self._others()]
        words = " ".join(each.words or each.mark for each in self._items[start : self._at])
        return ClausePart("object", words, mentions=tuple(_with_nouns(mentions)))

    def _others(self) -> list[Mention]:
        """Return the noun phrases that are joined to the one before by "and" or a comma."""
        found: list[Mention] = []
        while True:
            start = self._at
            joined = False
            while self._peek().mark == "," or self._peek().sense("and"):
                joined, self._at = True, self._at + 1
            mention = self._mention() if joined else None
            behind = self._peek()
            if mention is None or behind.sense("verbs") or (mention.pronoun and found == []):
                self._at = start
                return found
            # "the ball in the bowl and the cube on the plate": each has a place of its own, told apart later.
            found.append(mention)

    def _mention(self) -> Mention | None:
        """Return the noun phrase or pronoun that begins here, and go behind it; None: there is none."""
        start, item = self._at, self._peek()
        several = item.sense("plural_pronouns")
        if (item.sense("pronouns") or several) and not self._noun_follows():
            self._at += 1
            return Mention(ObjectPhrase(), pronoun=True, several=bool(several and not item.sense("pronouns")))
        if item.sense("everything"):
            self._at += 1
            return Mention(ObjectPhrase(quantity=Quantity.ALL))
        phrase, named, shaped = ObjectPhrase(), False, False
        while True:
            item = self._peek()
            sense = item.sense("shapes", "anything", *NOUN_PARTS)
            if item.sense("directions") and not sense and item.words in ("left", "right") and self._noun_follows():
                phrase = replace(phrase, selector=SELECTORS[item.words])
            elif sense is None or (shaped and sense.kind != "selectors" and not _follows_noun(sense)):
                break
            elif sense.kind in ("colours", "other_colours"):
                if phrase.colour and phrase.colour != sense.value:
                    raise NotUnderstood(f"{item.words!r}: an object has one colour; join two objects by 'and'")
                phrase, named = replace(phrase, colour=sense.value), True
            elif sense.kind == "shapes":
                if shaped:
                    break
                several_of = sense.plural and phrase.quantity is Quantity.THE
                phrase = replace(phrase, shape=sense.value, quantity=Quantity.ALL if several_of else phrase.quantity)
                named = shaped = True
            elif sense.kind == "anything":
                if shaped:
                    break
                if sense.plural and phrase.quantity is Quantity.THE:
                    phrase = replace(phrase, quantity=Quantity.ALL)
                named = shaped = True
            elif sense.kind == "quantities":
                if named:
                    break
                phrase = replace(phrase, quantity=QUANTITIES[sense.value])
            elif sense.kind == "selectors":
                phrase, named = replace(phrase, selector=SELECTORS[sense.value]), True
            self._at += 1
        if not named and phrase.quantity in (Quantity.BOTH, Quantity.OTHER, Quantity.ALL):
            return Mention(phrase)
        if not named:
            self._at = start
            return None
        return Mention(phrase)

    def _noun_follows(self) -> bool:
        following = self._peek(1)
        return following.sense("shapes", "anything", "colours", "other_colours", "adjectives", "selectors") is not None

    def _simple(self, item: Item) -> ClausePart | None:
        for kind, name in SIMPLE.items():
            sense = item.sense(kind)
            if sense is not None:
                self._at += 1
                return ClausePart(name, item.words, sense.value)
        return None


def _follows_noun(sense: Sense) -> bool:
    """Whether a word can stand behind the noun: "el cubo rojo"."""
    return sense.kind in ("colours", "other_colours", "adjectives")


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
