"""Instructions that cannot be carried out: about objects that are not there, or in words that nobody has taught."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vla_ros.sim.scene import Scene
from vla_ros.tasks.phrasings import plain_instruction
from vla_ros.tasks.task import Step
from vla_ros.tasks.vocabulary import COLOURS, MOVABLE_SHAPES

UNKNOWN_NOUNS = ("spoon", "banana", "screwdriver", "teddy bear", "mug", "phone", "scissors", "key", "candle", "hammer")
UNKNOWN_VERBS = ("juggle", "polish", "photograph", "rotate", "hide", "squeeze", "smell", "unscrew", "melt", "weigh")
UNKNOWNS: Mapping[str, str] = {
    "absent colour": "an object in a colour that none has",
    "absent shape": "a colour that is there, on a shape that it is not",
    "unknown noun": "an object of no known kind",
    "unknown verb": "an object that is there, and an unknown verb",
}


def unknown_instruction(unknown: str, scene: Scene, step: Step, rng: np.random.Generator) -> str:
    """Return what is asked for instead of `step`.

    Args:
        unknown: of UNKNOWNS.
        scene: with the objects that are there.
        step: the first one of the task.
        rng: source of everything random.
    """
    named = [item for item in scene.objects if item.shape in MOVABLE_SHAPES]
    x = scene.find(step.x)
    if unknown == "unknown verb":
        return f"{rng.choice(UNKNOWN_VERBS)} the {x.name}"
    if unknown == "absent colour":
        colours = [colour for colour in COLOURS if colour not in {item.colour for item in named}]
        name = f"{rng.choice(colours)} {x.shape}"
    elif unknown == "absent shape":
        there = {item.name for item in named}
        name = str(
            rng.choice([f"{x.colour} {shape}" for shape in MOVABLE_SHAPES if f"{x.colour} {shape}" not in there])
        )
    else:
        name = str(rng.choice(UNKNOWN_NOUNS))
    return plain_instruction(step.kind, name, step.y, step.y, rng)
