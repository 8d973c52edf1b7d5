"""Instructions that cannot be carried out: about things that are not there, or in words that nobody has taught."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vla_ros.sim.scene import COLOURS, SHAPES, Scene
from vla_ros.sim.tasks import PHRASES, Step

NOUNS = ("spoon", "banana", "screwdriver", "teddy bear", "mug", "phone", "scissors", "key", "candle", "hammer")
VERBS = ("juggle", "polish", "photograph", "rotate", "hide", "squeeze", "smell", "unscrew", "melt", "count")
UNKNOWNS: Mapping[str, str] = {
    "absent colour": "a thing in a colour that nothing has",
    "absent shape": "a colour that is there, on a shape that it is not",
    "unknown noun": "a thing of no known kind",
    "unknown verb": "a thing that is there, and a deed that is not known",
}


def sentence(unknown: str, scene: Scene, step: Step, rng: np.random.Generator) -> str:
    """Return what is asked for instead of `step`. Args: unknown: of UNKNOWNS."""
    named = [thing for thing in scene.things if thing.shape in SHAPES]
    x = scene.thing(step.x)
    if unknown == "unknown verb":
        return f"{rng.choice(VERBS)} the {x.name}"
    if unknown == "absent colour":
        colours = [colour for colour in COLOURS if colour not in {thing.colour for thing in named}]
        name = f"{rng.choice(colours)} {x.shape}"
    elif unknown == "absent shape":
        there = {thing.name for thing in named}
        name = str(rng.choice([f"{x.colour} {shape}" for shape in SHAPES if f"{x.colour} {shape}" not in there]))
    else:
        name = str(rng.choice(NOUNS))
    phrase = str(rng.choice(PHRASES[step.kind]))
    return phrase.format(x=name, y=step.y, side=step.y, on="in" if step.y == "bowl" else "on")
