"""Steps to words, for training: the phrasings of the simulator's language, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.policies.compact.configuration import COLOURS, SHAPES, SIDES, VERBS
from vla_ros.sim import language
from vla_ros.sim.scene import COLOURS as COLOUR_RGB
from vla_ros.sim.scene import SHAPES as MOVABLE

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
        if x[0] != y[0] and permitted(x) and permitted(y) and language.allowed(x[0], side if side != "none" else y[1]):
            return Wish(verb, side, x, y)


def permitted(thing: tuple[str, str]) -> bool:
    """Return whether training may show a thing of this colour and shape."""
    return thing not in language.HELD_OUT_OBJECTS


def say(rng: np.random.Generator, wishes: Sequence[Wish], shapes: Sequence[str]) -> str:
    """Return words for one or two steps.

    Args:
        shapes: of everything on the table that has a name, so that no name is ambiguous.
    """
    return joined(rng, clauses(rng, wishes, shapes))


def clauses(rng: np.random.Generator, wishes: Sequence[Wish], shapes: Sequence[str]) -> list[str]:
    """Return words for each step by itself; see `say`."""
    parts = []
    for wish in wishes:
        kind = "push to" if wish.verb == "push" and wish.side == "none" else wish.verb
        values = {"x": language.noun(wish.x[1], wish.x[0], shapes, rng), "side": wish.side}
        if wish.y[1] != "none":
            colour = "" if wish.y[0] == "none" else wish.y[0]
            values["y"] = language.noun(wish.y[1], colour, shapes, rng)
            values["in"] = language.preposition(wish.y[1], rng)
        parts.append(str(rng.choice(language.TRAINING[kind])).format(**values))
    return parts


def joined(rng: np.random.Generator, parts: Sequence[str]) -> str:
    """Return one sentence of one or two clauses."""
    if len(parts) == 1:
        return parts[0]
    return str(rng.choice(language.TRAINING["sequence"])).format(a=parts[0], b=parts[1])


def corpus() -> list[str]:
    """Return text that holds every word of training."""
    lines = [phrase for phrases in language.TRAINING.values() for phrase in phrases]
    lines = [line.format(x="", y="", a="", b="", side="left right", **{"in": ""}) for line in lines]
    words = [word for group in language.NOUNS.values() for word in group]
    words += [word for group in language.ADJECTIVES.values() for word in group]
    words += [*language.INSIDE, *language.UPON, *COLOUR_RGB, "one", "thing", "object", "the"]
    return lines + words  # not NONSENSE: it stands for words that nobody has taught
