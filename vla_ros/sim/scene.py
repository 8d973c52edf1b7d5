"""What stands on the table: sampled from a seed, the same for the same seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.85, 0.07, 0.06),
    "orange": (0.95, 0.42, 0.04),
    "yellow": (0.93, 0.80, 0.06),
    "green": (0.08, 0.60, 0.16),
    "blue": (0.07, 0.20, 0.80),
    "purple": (0.45, 0.10, 0.70),
}
BOWL_COLOUR = (0.05, 0.62, 0.66)
PLATE_COLOUR = (0.90, 0.25, 0.62)
SHAPES = ("cube", "cylinder", "ball")
CONTAINERS = ("bowl", "plate")
DISTRACTORS: dict[str, tuple[float, float, float]] = {  # what no instruction speaks of: half lengths, m
    "domino": (0.012, 0.024, 0.008),
    "peg": (0.010, 0.010, 0.020),
    "slab": (0.025, 0.018, 0.005),
}
PLAIN: dict[str, tuple[float, float, float]] = {  # colours of distractors, none of them of an object's class
    "white": (0.90, 0.90, 0.88),
    "grey": (0.45, 0.45, 0.47),
    "black": (0.06, 0.06, 0.07),
    "brown": (0.34, 0.24, 0.17),
}

WIDTH = 0.044  # m: edge of a cube, diameter of a cylinder or ball
CYLINDER_HEIGHT = 0.055
BOWL_RADIUS, BOWL_HEIGHT = 0.075, 0.045
PLATE_RADIUS, PLATE_HEIGHT = 0.080, 0.010

X_RANGE, Y_RANGE = (0.40, 0.64), (-0.26, 0.26)  # of the centres, m in the base frame
GAP = 0.055  # free room around everything, m: for the open fingers
PUSH_ROOM = 0.15  # free way beside a thing that is to be pushed


@dataclass(frozen=True)
class Thing:
    """One thing as it is put on the table.

    shape: of SHAPES, CONTAINERS or DISTRACTORS. colour: of COLOURS, or PLAIN for distractors, empty for containers.
    x, y: centre, m. yaw: rad. tint: rgb that it is drawn in; empty: that of its colour.
    """

    shape: str
    colour: str
    x: float
    y: float
    yaw: float
    tint: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """In words, as instructions name it."""
        return f"{self.colour} {self.shape}".strip()

    @property
    def height(self) -> float:
        """m."""
        if self.shape in DISTRACTORS:
            return 2 * DISTRACTORS[self.shape][2]
        return {"cylinder": CYLINDER_HEIGHT, "bowl": BOWL_HEIGHT, "plate": PLATE_HEIGHT}.get(self.shape, WIDTH)

    @property
    def radius(self) -> float:
        """Of the circle that its foot fills, m."""
        if self.shape == "cube":
            return WIDTH * math.sqrt(0.5)
        if self.shape in DISTRACTORS:
            return math.hypot(*DISTRACTORS[self.shape][:2])
        return {"bowl": BOWL_RADIUS, "plate": PLATE_RADIUS}.get(self.shape, WIDTH / 2)

    @property
    def rgb(self) -> tuple[float, ...]:
        """As drawn."""
        if self.tint:
            return self.tint
        return {"bowl": BOWL_COLOUR, "plate": PLATE_COLOUR}.get(self.shape) or {**COLOURS, **PLAIN}[self.colour]


@dataclass(frozen=True)
class Look:
    """How a scene looks: nothing of it changes what a task means, or how things move.

    light: brightness, 1 is nominal. tint: rgb of the light. lamp: where the main lamp hangs, m. table, floor: two rgb
    each, the ends of their textures. texture: of the table, a word of MuJoCo ("gradient", "checker", "flat"). wall: rgb.
    front, wrist: offset of that camera in its own optical frame, x y z in m and roll pitch yaw in rad.
    """

    light: float = 1.0
    tint: tuple[float, ...] = (1.0, 1.0, 1.0)
    lamp: tuple[float, ...] = (0.6, -0.6, 2.4)
    table: tuple[tuple[float, ...], tuple[float, ...]] = ((0.60, 0.55, 0.49), (0.56, 0.51, 0.46))
    texture: str = "gradient"
    floor: tuple[tuple[float, ...], tuple[float, ...]] = ((0.33, 0.34, 0.36), (0.29, 0.30, 0.32))
    wall: tuple[float, ...] = (0.45, 0.48, 0.52)
    front: tuple[float, ...] = (0.0,) * 6
    wrist: tuple[float, ...] = (0.0,) * 6


@dataclass(frozen=True)
class Scene:
    """things: all on the table. look: light, surfaces, cameras. seed: what it was sampled from."""

    things: tuple[Thing, ...]
    look: Look = Look()
    seed: int = 0

    def thing(self, name: str) -> Thing:
        """Return the thing of that name."""
        return next(thing for thing in self.things if thing.name == name)


def sample(rng: np.random.Generator, shapes: list[str], seed: int, pushed: str = "", direction: float = 0.0) -> Scene:
    """Place things at random, with free room around each.

    Args:
        rng: source of everything random here.
        shapes: of the objects, one each; every object gets a colour of its own; bowl and plate are always there.
        pushed, direction: the object of this index word ("0") needs PUSH_ROOM free towards y * direction.
        seed: noted in the scene.
    """
    colours = [str(colour) for colour in rng.permutation(list(COLOURS))]
    wanted = [("bowl", ""), ("plate", ""), *zip(shapes, colours, strict=False)]
    while True:
        placed: list[Thing] = []
        for index, (shape, colour) in enumerate(wanted):
            for _ in range(200):
                thing = Thing(
                    shape,
                    colour,
                    round(float(rng.uniform(*X_RANGE)), 4),
                    round(float(rng.uniform(*Y_RANGE)), 4),
                    round(float(rng.uniform(0.0, np.pi / 2)), 4) if shape == "cube" else 0.0,
                )
                if all(_apart(thing, other) for other in placed) and (
                    pushed != str(index - 2) or abs(thing.y + direction * PUSH_ROOM) < Y_RANGE[1] + 0.04
                ):
                    placed.append(thing)
                    break
            else:
                break
        else:
            if not pushed or _free_way(placed[2 + int(pushed)], placed, direction):
                return Scene(tuple(placed), Look(), seed)


def _apart(a: Thing, b: Thing) -> bool:
    return bool(np.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius + GAP)


def _free_way(pushed: Thing, things: list[Thing], direction: float) -> bool:
    """Nothing stands in the way of a push, nor where the closed hand starts it."""
    for other in things:
        along = (other.y - pushed.y) * direction
        aside = abs(other.x - pushed.x)
        if other is not pushed and -0.12 < along < PUSH_ROOM + other.radius + 0.03 and aside < other.radius + 0.07:
            return False
    return True
