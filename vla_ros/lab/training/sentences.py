"""Steps to words, for training: the phrasings of the simulator's language, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vla_ros.policies.compact.model_config import COLOURS, SHAPES, SIDES, VERBS
from vla_ros.policies.compact.vocabulary import words_of
from vla_ros.tasks import phrasings
from vla_ros.tasks.objects import COLOUR_RGB
from vla_ros.tasks.vocabulary import ADJECTIVES, NOUNS
from vla_ros.tasks.vocabulary import MOVABLE_SHAPES as MOVABLE

NONSENSE = (
    "what time is it",
    "sing a song",
    "walk to the door",
    "open the drawer",
    "tell me about the weather",
    "paint the wall",
    "who are you",
    "close the window",
    "dance",
    "make some coffee",
    "wash the dishes",
    "turn off the light",
)
LOOSE = ("one", "thing", "object")
STRAY = ("please", "now", "could", "you", "can", "i", "want", "to", "the", "robot", "and")
STRANGE = "zzz"  # a word that nobody has taught
SAME = 0.2  # share of later steps that go on with the same thing
TAKEN = 0.15  # share of steps that are said as taking a thing and doing something with it
JOINTS = (" and ", ", ", ", and ", ", then ", " then ", ". ", "; ")
DRESSED = 0.6  # share of clauses, said without pictures, that stray words surround


@dataclass(frozen=True)
class Wish:
    """One step: verb and side as in configuration, x and y (colour, shape) with "none" where there is no such thing."""

    verb: str
    side: str
    x: tuple[str, str]
    y: tuple[str, str]

    def indices(self) -> tuple[int, ...]:
        """As configuration.WORDING orders them."""
        return (
            VERBS.index(self.verb),
            SIDES.index(self.side),
            COLOURS.index(self.x[0]),
            SHAPES.index(self.x[1]),
            COLOURS.index(self.y[0]),
            SHAPES.index(self.y[1]),
        )


NOTHING = Wish("none", "none", ("none", "none"), ("none", "none"))


def random_wish(rng: np.random.Generator, verb: str = "") -> Wish:
    """Return a step about things that training may show."""
    verb = verb or str(rng.choice(VERBS[1:]))
    movable = MOVABLE[:2] if verb == "push" else MOVABLE
    while True:
        x = (str(rng.choice(list(COLOUR_RGB))), str(rng.choice(movable)))
        side, y = "none", ("none", "none")
        if verb == "place":
            y = ("none", str(rng.choice(["bowl", "plate"])))
        elif verb == "stack":
            y = (str(rng.choice(list(COLOUR_RGB))), "cube")
        elif verb == "push" and rng.random() < 0.6:
            side = str(rng.choice(SIDES[1:]))
        elif verb == "push":
            shape = str(rng.choice(["cube", "cylinder", "bowl", "plate"]))
            y = ("none" if shape in ("bowl", "plate") else str(rng.choice(list(COLOUR_RGB))), shape)
        wish = Wish(verb, side, x, y)
        if taught(wish):
            return wish


def taught(wish: Wish) -> bool:
    """Return whether training may ask for this."""
    where = wish.side if wish.side != "none" else wish.y[1]
    rolls = wish.verb == "push" and wish.x[1] not in MOVABLE[:2]
    apart = wish.x[0] != wish.y[0] and not rolls
    return apart and permitted(wish.x) and permitted(wish.y) and phrasings.is_trained_target(wish.x[0], where)


def random_wishes(rng: np.random.Generator, count: int) -> list[Wish]:
    """Return steps; at times one goes on with what the step before it has moved."""
    wishes = [random_wish(rng)]
    while len(wishes) < count:
        wish = random_wish(rng)
        same = replace(wish, x=wishes[-1].x)
        goes_on = wishes[-1].verb != "pick" and taught(same) and rng.random() < SAME
        wishes.append(same if goes_on else wish)
    return wishes


def permitted(thing: tuple[str, str]) -> bool:
    """Return whether training may show a thing of this colour and shape."""
    return thing not in phrasings.HELD_OUT_OBJECTS


def misleading(thing: tuple[str, str], text: str, there: Sequence[tuple[str, str]]) -> list[bool]:
    """Return which of the things `there` tell of a shape by a colour that training never shows it in.

    "The cube" is none of two purple things, whenever both are there, as there are no purple cubes: a shape is not to be
    learned from that, for there may be one.

    Args:
        thing: colour and shape that the text asks for.
    """
    coloured = bool(set(words_of(text)) & {thing[0], *ADJECTIVES.get(thing[0], ())})
    return [not coloured and not permitted((colour, thing[1])) for colour, _ in there]


def absent(there: Collection[tuple[str, str]], shapes: Sequence[str] = MOVABLE) -> list[tuple[str, str]]:
    """Return colour and shape of all things of some shapes that training may show and that are not among those `there`."""
    every = [(colour, shape) for colour in COLOUR_RGB for shape in shapes]
    return [thing for thing in every if permitted(thing) and thing not in there]


def say(
    rng: np.random.Generator,
    wishes: Sequence[Wish],
    shapes: Sequence[str],
    loosely: bool = True,
    bare: float = phrasings.SHAPE_ONLY_SHARE,
) -> str:
    """Return words for one or two steps.

    Args:
        shapes: of everything on the table that has a name, so that no name is ambiguous. loosely: the shape may go
            without saying: "the red one". bare: as in `phrasings.noun_phrase`.
    """
    while True:
        text = joined(rng, [clause for clause, _ in clauses(rng, wishes, shapes, bare)])
        if loosely or not set(text.split()) & set(LOOSE):
            return text


def clauses(
    rng: np.random.Generator, wishes: Sequence[Wish], shapes: Sequence[str], bare: float = phrasings.SHAPE_ONLY_SHARE
) -> list[tuple[str, Wish]]:
    """Return words for each step by itself, and the wish as these words say it: a colour may go without saying.

    What has been named is "it" after that, in a step that goes on with it and in "take ... and put it ...".
    """
    parts: list[tuple[str, Wish]] = []
    for index, wish in enumerate(wishes):
        kind = "push to" if wish.verb == "push" and wish.side == "none" else wish.verb
        thing = phrasings.noun_phrase(wish.x[1], _colour(wish.x), shapes, rng, bare)
        values = {"x": thing, "side": wish.side}
        said = replace(wish, x=_said(wish.x, thing))
        if wish.y[1] != "none":
            values["y"] = phrasings.noun_phrase(wish.y[1], _colour(wish.y), shapes, rng, bare)
            values["in"] = phrasings.preposition(wish.y[1], rng)
            said = replace(said, y=_said(wish.y, values["y"]))
        template = str(rng.choice(phrasings.TRAINING[kind]))
        text = template.format(**values)
        if index and wish.x == wishes[index - 1].x and wish.verb != "pick":
            text, said = template.format(**{**values, "x": "it"}), replace(said, x=parts[-1][1].x)
        elif wish.verb != "pick" and rng.random() < TAKEN:
            taking = str(rng.choice(phrasings.TRAINING["pick"])).format(x=thing)
            taken = taking + str(rng.choice(JOINTS)) + template.format(**{**values, "x": "it"})
            text = text if phrasings.contains_held_out(taken) else taken
        parts.append((text, said))
    return parts


def _said(thing: tuple[str, str], words: str) -> tuple[str, str]:
    """Return the thing as words name it: without its colour, if there is no word for it."""
    return (thing[0] if len(words.split()) > 2 else "none", thing[1])


def _colour(thing: tuple[str, str]) -> str:
    return "" if thing[0] == "none" else thing[0]


def dressed(rng: np.random.Generator, clause: str) -> str:
    """Return the clause, often with stray words around it, known and unknown ones: they are no part of what it means.

    What evaluation may say is never made by this.
    """
    if rng.random() >= DRESSED:
        return clause
    before, behind = (
        [str(rng.choice(STRAY)) if rng.random() < 0.6 else STRANGE for _ in range(rng.integers(0, most + 1))]
        for most in (3, 2)
    )
    text = " ".join([*before, clause, *behind])
    return clause if phrasings.contains_held_out(text) else text


def joined(rng: np.random.Generator, parts: Sequence[str]) -> str:
    """Return one sentence of up to three clauses."""
    if len(parts) == 2:
        return str(rng.choice(phrasings.TRAINING["sequence"])).format(a=parts[0], b=parts[1])
    return ", then ".join(parts)


def nonsense(rng: np.random.Generator) -> str:
    """Return words that ask for nothing that can be done: other deeds, deeds and things that nobody has taught."""
    kind = rng.integers(4)
    colour, movable = str(rng.choice(list(COLOUR_RGB))), str(rng.choice(MOVABLE))
    if kind == 0 or not permitted((colour, movable)):
        return str(rng.choice(NONSENSE))
    thing = phrasings.noun_phrase(movable, colour, (), rng)
    if kind == 1:
        return f"{rng.choice(NONSENSE)} {thing}"
    if kind == 2:
        return f"{STRANGE} {thing}"
    [(clause, _)] = clauses(rng, [random_wish(rng)], ())
    known = "|".join([*(word for group in NOUNS.values() for word in group), *LOOSE])
    return re.sub(rf"the (\w+ )?({known})\b", f"the {STRANGE}", clause, count=int(rng.integers(1, 3)))


def names() -> list[str]:
    """Return the words that tell one thing from another."""
    return [
        *(word for group in (*NOUNS.values(), *ADJECTIVES.values()) for word in group),
        *COLOUR_RGB,
    ]


def corpus() -> list[str]:
    """Return text that holds every word of training."""
    lines = [phrase for phrases in phrasings.TRAINING.values() for phrase in phrases]
    lines = [line.format(x="", y="", a="", b="", side="left right", **{"in": ""}) for line in lines]
    return lines + [
        *names(),
        *phrasings.INSIDE,
        *phrasings.UPON,
        "one",
        "thing",
        "object",
        "the",
    ]  # not NONSENSE: it stands for words that nobody has taught
