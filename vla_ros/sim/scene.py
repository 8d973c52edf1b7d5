"""A scene: which objects stand where on the table, and how it looks. The same seed gives the same scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_ros.sim.appearance import Appearance
from vla_ros.tasks.objects import height_of, radius_of, rgb_of
from vla_ros.tasks.vocabulary import COLOURS

X_RANGE, Y_RANGE = (0.40, 0.64), (-0.26, 0.26)
"""Of the centres, m, base frame."""
GAP_M = 0.055
"""Free space around every object: for the open fingers."""
PUSH_SPACE_M = 0.15
"""Free space beside an object that is to be pushed."""
PLACEMENT_TRIES = 200


@dataclass(frozen=True)
class SceneObject:
    """One object as it is put on the table.

    Attributes:
        shape: of `vocabulary.SHAPES` or `objects.DISTRACTOR_HALF_SIZES_M`.
        colour: of `objects.COLOUR_RGB` or `objects.DISTRACTOR_RGB`; empty for a container.
        x, y: centre, m, base frame.
        yaw: rad.
        drawn_rgb: colour that it is drawn in; empty: the nominal one.
    """

    shape: str
    colour: str
    x: float
    y: float
    yaw: float
    drawn_rgb: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """In words, as plain instructions name it."""
        return f"{self.colour} {self.shape}".strip()

    @property
    def height(self) -> float:
        """m."""
        return height_of(self.shape)

    @property
    def radius(self) -> float:
        """Of the circle around it, seen from above, m."""
        return radius_of(self.shape)

    @property
    def rgb(self) -> tuple[float, ...]:
        """Colour that it is drawn in."""
        return self.drawn_rgb or rgb_of(self.shape, self.colour)


@dataclass(frozen=True)
class Scene:
    """What stands on the table.

    Attributes:
        objects: all of them; bowl and plate come first.
        appearance: light, surfaces, cameras.
        seed: what it was sampled from.
    """

    objects: tuple[SceneObject, ...]
    appearance: Appearance = Appearance()
    seed: int = 0

    def find(self, name: str) -> SceneObject:
        """Return the object of that name."""
        return next(item for item in self.objects if item.name == name)


def sample_scene(
    rng: np.random.Generator, shapes: list[str], seed: int, pushed: str = "", direction: float = 0.0
) -> Scene:
    """Place objects at random, with free space around each.

    Args:
        rng: source of everything random here.
        shapes: of the objects that tasks move. Each gets a colour of its own. Bowl and plate are always there.
        seed: noted in the scene.
        pushed, direction: the object of this index ("0") needs PUSH_SPACE_M free towards y * direction.
    """
    colours = [str(colour) for colour in rng.permutation(list(COLOURS))]
    wanted = [("bowl", ""), ("plate", ""), *zip(shapes, colours, strict=False)]
    while True:
        placed = _place(rng, wanted, pushed, direction)
        if placed and (not pushed or _has_push_path(placed[2 + int(pushed)], placed, direction)):
            return Scene(tuple(placed), Appearance(), seed)


def _place(rng: np.random.Generator, wanted: list[tuple[str, str]], pushed: str, direction: float) -> list[SceneObject]:
    """Return the objects with their places, or nothing where one found none."""
    placed: list[SceneObject] = []
    for index, (shape, colour) in enumerate(wanted):
        for _ in range(PLACEMENT_TRIES):
            item = SceneObject(
                shape,
                colour,
                round(float(rng.uniform(*X_RANGE)), 4),
                round(float(rng.uniform(*Y_RANGE)), 4),
                round(float(rng.uniform(0.0, np.pi / 2)), 4) if shape == "cube" else 0.0,
            )
            can_be_pushed = pushed != str(index - 2) or abs(item.y + direction * PUSH_SPACE_M) < Y_RANGE[1] + 0.04
            if all(_is_apart(item, other) for other in placed) and can_be_pushed:
                placed.append(item)
                break
        else:
            return []
    return placed


def _is_apart(a: SceneObject, b: SceneObject) -> bool:
    return bool(np.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius + GAP_M)


def _has_push_path(pushed: SceneObject, objects: list[SceneObject], direction: float) -> bool:
    """Return whether nothing stands in the path of a push, nor where the closed hand starts it."""
    for other in objects:
        along = (other.y - pushed.y) * direction
        aside = abs(other.x - pushed.x)
        if other is not pushed and -0.12 < along < PUSH_SPACE_M + other.radius + 0.03 and aside < other.radius + 0.07:
            return False
    return True
