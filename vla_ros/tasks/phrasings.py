"""How tasks are said: in plain scenes, in training, and in evaluation only.

A held-out phrasing never appears in training data, nor does a held-out object or a held-out pair of object and target.
Nouns have the same synonyms in both. What is held out is how an instruction is built.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from vla_ros.tasks.vocabulary import ADJECTIVES, GENERIC_NOUNS, NOUNS

GENERIC_SHARE = 0.06
"""Share of objects that are called "the red one"."""
SHAPE_ONLY_SHARE = 0.06
"""Share of objects that are called "the cube", of those that are the only one of their shape."""
HELD_OUT_OBJECTS = (("red", "ball"), ("green", "cylinder"), ("purple", "cube"))
"""Colour and shape of objects that training scenes never hold."""
HELD_OUT_TARGETS = (("blue", "bowl"), ("yellow", "plate"), ("orange", "left"))
"""Colour of what is moved and where to: never asked for in training."""

EXAMPLES = (
    "pick up the red cube",
    "put the blue cylinder in the bowl",
    "put the orange ball on the plate",
    "stack the red cube on the green cube",
    "push the blue cube to the left",
    "push the red cube to the green cylinder",
)
"""One instruction of each kind, as examples for a model that words instructions for a policy."""

INSIDE = ("in", "into", "inside")
UPON = ("on", "onto", "on top of")

PLAIN: dict[str, tuple[str, ...]] = {
    "pick": ("pick up the {x}", "grab the {x}", "lift the {x}", "take the {x}"),
    "place": ("put the {x} {on} the {y}", "place the {x} {on} the {y}", "drop the {x} {on} the {y}"),
    "push": ("push the {x} to the {side}", "slide the {x} to the {side}", "move the {x} to the {side}"),
    "stack": ("stack the {x} on the {y}", "put the {x} on top of the {y}", "stack the {x} on top of the {y}"),
}
"""Of plain scenes, in which every object is called by its name."""

TRAINING: dict[str, tuple[str, ...]] = {
    "pick": (
        "pick up {x}",
        "pick {x} up",
        "grab {x}",
        "lift {x}",
        "lift up {x}",
        "lift {x} up",
        "take {x}",
        "take hold of {x}",
        "get {x}",
        "grasp {x}",
        "raise {x}",
        "hold {x}",
        "fetch {x}",
        "seize {x}",
        "please pick up {x}",
        "please take {x}",
        "pick up {x} please",
        "could you grab {x}",
        "can you lift {x}",
        "i want you to pick up {x}",
        "now take {x}",
        "pick up {x} from the table",
        "lift {x} off the table",
        "take {x} from the table",
        "robot, grab {x}",
    ),
    "place": (
        "put {x} {in} {y}",
        "place {x} {in} {y}",
        "drop {x} {in} {y}",
        "set {x} {in} {y}",
        "lay {x} {in} {y}",
        "move {x} {in} {y}",
        "bring {x} {in} {y}",
        "deposit {x} {in} {y}",
        "put {x} down {in} {y}",
        "set {x} down {in} {y}",
        "take {x} and put it {in} {y}",
        "pick up {x} and put it {in} {y}",
        "pick up {x} and place it {in} {y}",
        "grab {x} and drop it {in} {y}",
        "lift {x} and set it {in} {y}",
        "{in} {y} put {x}",
        "please put {x} {in} {y}",
        "put {x} {in} {y} please",
        "could you place {x} {in} {y}",
        "can you put {x} {in} {y}",
        "i want {x} {in} {y}",
        "{x} goes {in} {y}",
        "{x} belongs {in} {y}",
        "transfer {x} {in} {y}",
        "carry {x} to {y} and put it {in}",
    ),
    "push": (
        "push {x} to the {side}",
        "slide {x} to the {side}",
        "move {x} to the {side}",
        "shove {x} to the {side}",
        "nudge {x} to the {side}",
        "shift {x} to the {side}",
        "push {x} {side}",
        "slide {x} {side}",
        "move {x} {side}",
        "push {x} towards the {side}",
        "slide {x} towards the {side}",
        "push {x} to your {side}",
        "push {x} to the {side} side",
        "push {x} over to the {side}",
        "to the {side} push {x}",
        "please push {x} to the {side}",
        "push {x} to the {side} please",
        "could you push {x} to the {side}",
        "can you slide {x} to the {side}",
        "i want you to push {x} to the {side}",
        "i want {x} pushed to the {side}",
        "give {x} a push to the {side}",
        "sweep {x} to the {side}",
    ),
    "push to": (
        "push {x} to {y}",
        "slide {x} to {y}",
        "shove {x} to {y}",
        "nudge {x} to {y}",
        "push {x} towards {y}",
        "slide {x} towards {y}",
        "push {x} over to {y}",
        "push {x} up to {y}",
        "slide {x} up to {y}",
        "push {x} next to {y}",
        "slide {x} next to {y}",
        "push {x} against {y}",
        "slide {x} against {y}",
        "sweep {x} to {y}",
        "to {y} push {x}",
        "please push {x} to {y}",
        "push {x} to {y} please",
        "could you push {x} to {y}",
        "can you slide {x} to {y}",
        "i want you to push {x} to {y}",
        "i want {x} pushed to {y}",
        "give {x} a push to {y}",
    ),
    "stack": (
        "stack {x} on {y}",
        "stack {x} onto {y}",
        "stack {x} on top of {y}",
        "put {x} on top of {y}",
        "put {x} on {y}",
        "place {x} on top of {y}",
        "place {x} on {y}",
        "set {x} on {y}",
        "set {x} on top of {y}",
        "pile {x} on {y}",
        "pile {x} on top of {y}",
        "balance {x} on {y}",
        "lay {x} on {y}",
        "take {x} and stack it on {y}",
        "pick up {x} and stack it on {y}",
        "pick up {x} and put it on top of {y}",
        "grab {x} and place it on {y}",
        "on top of {y} put {x}",
        "please stack {x} on {y}",
        "stack {x} on {y} please",
        "could you stack {x} on {y}",
        "can you put {x} on top of {y}",
        "i want {x} on top of {y}",
        "{x} goes on top of {y}",
        "build a tower with {x} on {y}",
    ),
    "sequence": (
        "{a}, then {b}",
        "{a} then {b}",
        "{a} and then {b}",
        "{a}, and then {b}",
        "first {a}, then {b}",
        "first {a} and then {b}",
        "{a}; then {b}",
        "{a}. then {b}",
        "{a}; {b}",
        "{a}. {b}",
        "{a}, after that {b}",
        "{a}, and after that {b}",
        "{a}. after that {b}",
        "first {a}, after that {b}",
        "{a}, next {b}",
        "{a}, and next {b}",
        "{a}, afterwards {b}",
        "{a} and afterwards {b}",
        "{a}, and finally {b}",
        "first {a}, and finally {b}",
        "{a}, and {b}",
        "two things: {a}, then {b}",
        "{b}, but first {a}",
    ),
}

HELD_OUT: dict[str, tuple[str, ...]] = {
    "pick": (
        "can you pick {x} up please",
        "i want {x} lifted up",
        "please get hold of {x}",
        "grab {x} from the table please",
        "robot, please lift {x}",
        "now you take hold of {x}",
        "would you pick up {x} for me",
        "{x}: pick it up",
    ),
    "place": (
        "could you take {x} and drop it {in} {y}",
        "grab {x}, it goes {in} {y}",
        "please get {x} and set it {in} {y}",
        "{in} {y} you place {x} please",
        "i want you to lay {x} {in} {y}",
        "now {x} belongs {in} {y}",
        "would you put {x} {in} {y} for me",
        "{x}: put it {in} {y}",
    ),
    "push": (
        "please give {x} a shove to the {side}",
        "i want you to slide {x} {side}",
        "can you nudge {x} towards the {side} side",
        "to the {side} you shift {x} please",
        "now push {x} over to your {side}",
        "would you push {x} to the {side} for me",
        "{x}: push it to the {side}",
        "i want {x} moved to the {side}",
    ),
    "push to": (
        "please give {x} a shove to {y}",
        "i want you to slide {x} over to {y}",
        "can you nudge {x} up to {y}",
        "to {y} you slide {x} please",
        "would you push {x} to {y} for me",
        "{x}: push it to {y}",
    ),
    "stack": (
        "could you take {x} and pile it on {y}",
        "grab {x}, it goes on top of {y}",
        "please get {x} and balance it on {y}",
        "on {y} you stack {x} please",
        "i want you to set {x} on top of {y}",
        "would you stack {x} on {y} for me",
        "{x}: stack it on {y}",
        "build a tower: {x} on top of {y}",
    ),
    "sequence": (
        "{a} first, then {b}",
        "first of all {a}, and next {b}",
        "{a}, and when that is done {b}",
        "please first {a}. finally {b}",
        "two things: first {a}, and after that {b}",
        "{a}. next, {b}",
    ),
}


def plain_instruction(kind: str, x: str, y: str, side: str, rng: np.random.Generator) -> str:
    """Return one plain instruction. Args: kind: of `PLAIN`. x, y: names of objects. side: of a push."""
    phrase = str(rng.choice(PLAIN[kind]))
    return phrase.format(x=x, y=y, side=side, on="in" if y == "bowl" else "on")


def noun_phrase(
    shape: str,
    colour: str,
    shapes: Sequence[str],
    rng: np.random.Generator,
    shape_only_share: float = SHAPE_ONLY_SHARE,
) -> str:
    """Return words for one object, e.g. "the red block": true of that object only.

    Args:
        shape, colour: of the object; containers have no colour.
        shapes: of all objects that have a name here.
        rng: source of everything random.
        shape_only_share: share of objects that go without their colour where their shape is the only one.
    """
    word = str(rng.choice(NOUNS[shape]))
    if not colour:
        return f"the {word}"
    adjective = str(rng.choice(ADJECTIVES.get(colour, (colour,))))
    dice = rng.random()
    if dice < GENERIC_SHARE:
        return f"the {adjective} {rng.choice(GENERIC_NOUNS)}"
    if dice < GENERIC_SHARE + shape_only_share and sum(shape == other for other in shapes) == 1:
        return f"the {word}"
    return f"the {adjective} {word}"


def preposition(container: str, rng: np.random.Generator) -> str:
    """Return a word for where objects go with a bowl or a plate."""
    return str(rng.choice(INSIDE if container == "bowl" else UPON))


def is_trained_target(colour: str, target: str) -> bool:
    """Return whether training may ask for an object of `colour` to go to `target` (a shape, or a side)."""
    return (colour, target) not in HELD_OUT_TARGETS


def contains_held_out(text: str) -> bool:
    """Return whether `text` contains a held-out phrasing, with any words for the objects."""
    return any(pattern.search(text) for pattern in _HELD_OUT_ANYWHERE)


def is_held_out(instruction: str, is_sequence: bool) -> bool:
    """Return whether a whole instruction is a held-out phrasing about objects that have a name.

    Args:
        instruction: the words.
        is_sequence: whether it has several steps: then only the phrasings that join steps count.
    """
    return any(
        pattern.fullmatch(instruction)
        for kind, patterns in _HELD_OUT_WHOLE.items()
        if (kind == "sequence") == is_sequence
        for pattern in patterns
    )


def _patterns(phrases: Sequence[str], of_field: dict[str, str]) -> list[re.Pattern[str]]:
    """Return regular expressions of phrases, in which each {field} stands for what `of_field` says."""
    found = []
    for phrase in phrases:
        pattern = re.escape(phrase)
        for field, words in of_field.items():
            pattern = pattern.replace(re.escape(f"{{{field}}}"), words)
        found.append(re.compile(pattern))
    return found


_FIELDS = ("x", "y", "side", "in", "a", "b")
_NOUN = "|".join([*(word for words in NOUNS.values() for word in words), *GENERIC_NOUNS])
_OBJECT = rf"the (\w+ )?({_NOUN})"
_WORDS = {
    "x": _OBJECT,
    "y": _OBJECT,
    "side": "(left|right)",
    "in": f"({'|'.join((*INSIDE, *UPON))})",
    "a": "(.+)",
    "b": "(.+)",
}
_HELD_OUT_ANYWHERE = [
    pattern for phrases in HELD_OUT.values() for pattern in _patterns(phrases, dict.fromkeys(_FIELDS, ".+"))
]
_HELD_OUT_WHOLE = {kind: _patterns(phrases, _WORDS) for kind, phrases in HELD_OUT.items()}
