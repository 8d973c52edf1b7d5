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

    shape: of SHAPES, "bowl" or "plate". colour: of COLOURS, empty for bowl and plate. x, y: centre, m. yaw: rad.
    """

    shape: str
    colour: str
    x: float
    y: float
    yaw: float

    @property
    def name(self) -> str:
        """In words, as instructions name it."""
        return f"{self.colour} {self.shape}".strip()

    @property
    def height(self) -> float:
        """m."""
        return {"cylinder": CYLINDER_HEIGHT, "bowl": BOWL_HEIGHT, "plate": PLATE_HEIGHT}.get(self.shape, WIDTH)

    @property
    def radius(self) -> float:
        """Of the circle that its foot fills, m."""
        if self.shape == "cube":
            return WIDTH * math.sqrt(0.5)
        return {"bowl": BOWL_RADIUS, "plate": PLATE_RADIUS}.get(self.shape, WIDTH / 2)

    @property
    def rgb(self) -> tuple[float, float, float]:
        """As drawn."""
        return {"bowl": BOWL_COLOUR, "plate": PLATE_COLOUR}.get(self.shape) or COLOURS[self.colour]


@dataclass(frozen=True)
class Scene:
    """things: all on the table. light: brightness of the lamp, 1 is nominal. seed: what it was sampled from."""

    things: tuple[Thing, ...]
    light: float = 1.0
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
                return Scene(tuple(placed), 1.0, seed)


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
