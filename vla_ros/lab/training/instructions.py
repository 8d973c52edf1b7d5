"""Instructions for training: steps of tasks, said in the phrasings of training, and the labels that belong to them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vla_ros.policies.compact.model_config import COLOURS, SHAPES, SIDES, VERBS
from vla_ros.policies.compact.vocabulary import tokenize
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
GENERIC_NOUNS = ("one", "thing", "object")
FILLER_WORDS = ("please", "now", "could", "you", "can", "i", "want", "to", "the", "robot", "and")
UNKNOWN_WORD = "zzz"  # is in no vocabulary
SAME_OBJECT_SHARE = 0.2  # share of later steps that move the object of the step before
TAKE_FIRST_SHARE = 0.15  # share of steps that are said as taking an object and doing something with it
CONJUNCTIONS = (" and ", ", ", ", and ", ", then ", " then ", ". ", "; ")
FILLER_SHARE = 0.6  # share of clauses, said without images, that filler words surround

ColouredShape = tuple[str, str]
"""Colour and shape of an object, as in model_config; "none" where it has none."""


@dataclass(frozen=True)
class ParsedStep:
    """What one step asks for.

    Attributes:
        verb, side: as in model_config.
        x, y: the object that is moved, and the one it is moved to; "none" twice where there is none.
    """

    verb: str
    side: str
    x: ColouredShape
    y: ColouredShape

    def indices(self) -> tuple[int, ...]:
        """Return the index of the value of each of model_config.STEP_FIELDS."""
        return (
            VERBS.index(self.verb),
            SIDES.index(self.side),
            COLOURS.index(self.x[0]),
            SHAPES.index(self.x[1]),
            COLOURS.index(self.y[0]),
            SHAPES.index(self.y[1]),
        )


EMPTY_STEP = ParsedStep("none", "none", ("none", "none"), ("none", "none"))


def random_step(rng: np.random.Generator, verb: str = "") -> ParsedStep:
    """Return a step about objects that training may show."""
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
        parsed_step = ParsedStep(verb, side, x, y)
        if is_allowed(parsed_step):
            return parsed_step


def is_allowed(parsed_step: ParsedStep) -> bool:
    """Return whether training may ask for a step: nothing of it is held out for evaluation, and it can be done."""
    target = parsed_step.side if parsed_step.side != "none" else parsed_step.y[1]
    rolls = parsed_step.verb == "push" and parsed_step.x[1] not in MOVABLE[:2]
    possible = parsed_step.x[0] != parsed_step.y[0] and not rolls
    objects_allowed = possible and is_allowed_object(parsed_step.x) and is_allowed_object(parsed_step.y)
    return objects_allowed and phrasings.is_trained_target(parsed_step.x[0], target)


def random_steps(rng: np.random.Generator, count: int) -> list[ParsedStep]:
    """Return `count` steps; some move the object of the step before."""
    parsed_steps = [random_step(rng)]
    while len(parsed_steps) < count:
        parsed_step = random_step(rng)
        same = replace(parsed_step, x=parsed_steps[-1].x)
        continues = parsed_steps[-1].verb != "pick" and is_allowed(same) and rng.random() < SAME_OBJECT_SHARE
        parsed_steps.append(same if continues else parsed_step)
    return parsed_steps


def is_allowed_object(thing: ColouredShape) -> bool:
    """Return whether training may show an object of this colour and shape."""
    return thing not in phrasings.HELD_OUT_OBJECTS


def misleading_objects(thing: ColouredShape, text: str, present: Sequence[ColouredShape]) -> list[bool]:
    """Return for each object that is present whether the loss must ignore it for an instruction.

    Training never shows a purple cube. So "the cube" would never mean a purple object, and the network could learn shapes
    from colours: where an instruction names a shape alone, objects of a colour held out for that shape are ignored.

    Args:
        thing: colour and shape that the text asks for.
        text: the instruction.
        present: colour and shape of the objects in the image.
    """
    coloured = bool(set(tokenize(text)) & {thing[0], *ADJECTIVES.get(thing[0], ())})
    return [not coloured and not is_allowed_object((colour, thing[1])) for colour, _ in present]


def absent_objects(present: Collection[ColouredShape], shapes: Sequence[str] = MOVABLE) -> list[ColouredShape]:
    """Return colour and shape of all objects of `shapes` that training may show and that are not present."""
    every = [(colour, shape) for colour in COLOUR_RGB for shape in shapes]
    return [thing for thing in every if is_allowed_object(thing) and thing not in present]


def compose(
    rng: np.random.Generator,
    parsed_steps: Sequence[ParsedStep],
    shapes: Sequence[str],
    generic: bool = True,
    colourless: float = phrasings.SHAPE_ONLY_SHARE,
) -> str:
    """Return an instruction for steps.

    Args:
        rng: random generator.
        parsed_steps: the steps.
        shapes: of all named objects on the table, so that no name is ambiguous.
        generic: whether the shape may be left out, as in "the red one".
        colourless: share of names without the colour, see `phrasings.noun_phrase`.
    """
    while True:
        text = join(rng, [clause for clause, _ in clauses(rng, parsed_steps, shapes, colourless)])
        if generic or not set(text.split()) & set(GENERIC_NOUNS):
            return text


def clauses(
    rng: np.random.Generator,
    parsed_steps: Sequence[ParsedStep],
    shapes: Sequence[str],
    colourless: float = phrasings.SHAPE_ONLY_SHARE,
) -> list[tuple[str, ParsedStep]]:
    """Return a clause for each step, and the step as the clause says it, which may leave out a colour.

    "it" stands for the object of the step before, and for the object in "take ... and put it ...".

    Args:
        rng, parsed_steps, shapes, colourless: as for `compose`.
    """
    parts: list[tuple[str, ParsedStep]] = []
    for index, parsed_step in enumerate(parsed_steps):
        kind = "push to" if parsed_step.verb == "push" and parsed_step.side == "none" else parsed_step.verb
        name = phrasings.noun_phrase(parsed_step.x[1], _colour(parsed_step.x), shapes, rng, colourless)
        values = {"x": name, "side": parsed_step.side}
        as_said = replace(parsed_step, x=_as_said(parsed_step.x, name))
        if parsed_step.y[1] != "none":
            values["y"] = phrasings.noun_phrase(parsed_step.y[1], _colour(parsed_step.y), shapes, rng, colourless)
            values["in"] = phrasings.preposition(parsed_step.y[1], rng)
            as_said = replace(as_said, y=_as_said(parsed_step.y, values["y"]))
        template = str(rng.choice(phrasings.TRAINING[kind]))
        text = template.format(**values)
        if index and parsed_step.x == parsed_steps[index - 1].x and parsed_step.verb != "pick":
            text, as_said = template.format(**{**values, "x": "it"}), replace(as_said, x=parts[-1][1].x)
        elif parsed_step.verb != "pick" and rng.random() < TAKE_FIRST_SHARE:
            taking = str(rng.choice(phrasings.TRAINING["pick"])).format(x=name)
            taken = taking + str(rng.choice(CONJUNCTIONS)) + template.format(**{**values, "x": "it"})
            text = text if phrasings.contains_held_out(taken) else taken
        parts.append((text, as_said))
    return parts


def _as_said(thing: ColouredShape, name: str) -> ColouredShape:
    """Return the object as a name says it: without its colour where the name has no word for it."""
    return (thing[0] if len(name.split()) > 2 else "none", thing[1])


def _colour(thing: ColouredShape) -> str:
    return "" if thing[0] == "none" else thing[0]


def with_filler(rng: np.random.Generator, clause: str) -> str:
    """Return the clause, often with known and unknown words around it, which do not change what it means.

    Phrasings that are held out for evaluation are never made by this.
    """
    if rng.random() >= FILLER_SHARE:
        return clause
    before, behind = (
        [
            str(rng.choice(FILLER_WORDS)) if rng.random() < 0.6 else UNKNOWN_WORD
            for _ in range(rng.integers(0, most + 1))
        ]
        for most in (3, 2)
    )
    text = " ".join([*before, clause, *behind])
    return clause if phrasings.contains_held_out(text) else text


def join(rng: np.random.Generator, parts: Sequence[str]) -> str:
    """Return one instruction of up to three clauses."""
    if len(parts) == 2:
        return str(rng.choice(phrasings.TRAINING["sequence"])).format(a=parts[0], b=parts[1])
    return ", then ".join(parts)


def nonsense(rng: np.random.Generator) -> str:
    """Return an instruction that cannot be carried out: other actions, or unknown verbs and objects."""
    kind = rng.integers(4)
    colour, movable = str(rng.choice(list(COLOUR_RGB))), str(rng.choice(MOVABLE))
    if kind == 0 or not is_allowed_object((colour, movable)):
        return str(rng.choice(NONSENSE))
    name = phrasings.noun_phrase(movable, colour, (), rng)
    if kind == 1:
        return f"{rng.choice(NONSENSE)} {name}"
    if kind == 2:
        return f"{UNKNOWN_WORD} {name}"
    [(clause, _)] = clauses(rng, [random_step(rng)], ())
    known = "|".join([*(word for group in NOUNS.values() for word in group), *GENERIC_NOUNS])
    return re.sub(rf"the (\w+ )?({known})\b", f"the {UNKNOWN_WORD}", clause, count=int(rng.integers(1, 3)))


def object_words() -> list[str]:
    """Return the words by which objects are told apart: nouns and colours."""
    return [
        *(word for group in (*NOUNS.values(), *ADJECTIVES.values()) for word in group),
        *COLOUR_RGB,
    ]


def corpus() -> list[str]:
    """Return texts that hold every word of training. NONSENSE is not among them: it stands for unknown words."""
    lines = [phrase for phrases in phrasings.TRAINING.values() for phrase in phrases]
    lines = [line.format(x="", y="", a="", b="", side="left right", **{"in": ""}) for line in lines]
    return [*lines, *object_words(), *phrasings.INSIDE, *phrasings.UPON, *GENERIC_NOUNS, "the"]
