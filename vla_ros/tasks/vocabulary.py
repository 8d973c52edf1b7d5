"""The words of tasks: what objects, colours and directions are called.

One word is the name that the code uses ("cylinder"). People use others for the same thing ("can", "tin"). `NOUNS` and
`ADJECTIVES` are the ones that this project's instructions are written with. `SHAPE_OF_NOUN` and `COLOUR_OF_ADJECTIVE` are the
ones that a grammar reads: more than are written.
"""

from __future__ import annotations

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
"""Colours of the objects."""
MOVABLE_SHAPES = ("cube", "cylinder", "ball")
"""Objects that tasks move."""
STABLE_SHAPES = ("cube", "cylinder")
"""Those that do not roll: they are pushed, and stacked."""
CONTAINERS = ("bowl", "plate")
"""Objects that tasks put things in or on. There is one of each, so that they need no colour."""
OBJECTS = tuple(f"{colour} {shape}" for colour in COLOURS for shape in MOVABLE_SHAPES)
"""Names of the objects that tasks move."""
SHAPES = (*MOVABLE_SHAPES, *CONTAINERS)
SIDES = ("left", "right")
"""Directions of a push, as the robot sees them: left is +y of the base frame."""

NOUNS: dict[str, tuple[str, ...]] = {
    "cube": ("cube", "cube", "block", "box"),
    "cylinder": ("cylinder", "cylinder", "can", "tin"),
    "ball": ("ball", "ball", "sphere", "orb"),
    "bowl": ("bowl", "bowl", "basin"),
    "plate": ("plate", "plate", "saucer"),
}
"""Shape → nouns that instructions are written with. A noun that stands here twice is drawn twice as often."""
ADJECTIVES: dict[str, tuple[str, ...]] = {
    "red": ("red", "red", "red", "crimson"),
    "purple": ("purple", "purple", "purple", "violet"),
}
"""Colour → adjectives that instructions are written with. A colour without an entry is written with its own name."""
GENERIC_NOUNS = ("one", "thing", "object")
"""Nouns that say nothing of the shape: "the red one"."""

COLOUR_OF_ADJECTIVE: dict[str, str] = {
    **{colour: colour for colour in COLOURS},
    "scarlet": "red",
    "crimson": "red",
    "violet": "purple",
}
"""Adjective → colour, for reading."""
SHAPE_OF_NOUN: dict[str, str] = {
    **dict.fromkeys(("cube", "block", "box", "brick", "dice", "die"), "cube"),
    **dict.fromkeys(("cylinder", "can", "tin", "tube", "drum", "canister", "barrel"), "cylinder"),
    **dict.fromkeys(("ball", "sphere", "orb", "globe", "marble"), "ball"),
    **dict.fromkeys(("bowl", "basin", "dish"), "bowl"),
    **dict.fromkeys(("plate", "saucer", "platter", "tray"), "plate"),
}
"""Noun → shape, for reading."""
