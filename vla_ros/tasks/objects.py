"""The objects on the table: their sizes and colours. Lengths in m, colours as rgb in 0..1."""

from __future__ import annotations

import math

Rgb = tuple[float, float, float]

OBJECT_WIDTH_M = 0.044
"""Edge of a cube, diameter of a cylinder or a ball."""
OBJECT_HALF_WIDTH_M = OBJECT_WIDTH_M / 2
CYLINDER_HEIGHT_M = 0.055
BOWL_RADIUS_M, BOWL_HEIGHT_M = 0.075, 0.045
BOWL_FLOOR_M = 0.008
"""Height of the floor inside the bowl over the table."""
PLATE_RADIUS_M, PLATE_HEIGHT_M = 0.080, 0.010

DISTRACTOR_HALF_SIZES_M: dict[str, tuple[float, float, float]] = {
    "domino": (0.012, 0.024, 0.008),
    "peg": (0.010, 0.010, 0.020),
    "slab": (0.025, 0.018, 0.005),
}
"""Half lengths in x, y, z of the boxes that no instruction speaks of."""

COLOUR_RGB: dict[str, Rgb] = {
    "red": (0.85, 0.07, 0.06),
    "orange": (0.95, 0.42, 0.04),
    "yellow": (0.93, 0.80, 0.06),
    "green": (0.08, 0.60, 0.16),
    "blue": (0.07, 0.20, 0.80),
    "purple": (0.45, 0.10, 0.70),
}
"""Colours of the objects that tasks move."""
CONTAINER_RGB: dict[str, Rgb] = {"bowl": (0.05, 0.62, 0.66), "plate": (0.90, 0.25, 0.62)}
DISTRACTOR_RGB: dict[str, Rgb] = {
    "white": (0.90, 0.90, 0.88),
    "grey": (0.45, 0.45, 0.47),
    "black": (0.06, 0.06, 0.07),
    "brown": (0.34, 0.24, 0.17),
}
"""Colours of distractors. None of them looks like the colour of an object."""


def height_of(shape: str) -> float:
    """Return the height of an object that stands on the table, m.

    Args:
        shape: of `vocabulary.SHAPES` or `DISTRACTOR_HALF_SIZES_M`.
    """
    if shape in DISTRACTOR_HALF_SIZES_M:
        return 2 * DISTRACTOR_HALF_SIZES_M[shape][2]
    return {"cylinder": CYLINDER_HEIGHT_M, "bowl": BOWL_HEIGHT_M, "plate": PLATE_HEIGHT_M}.get(shape, OBJECT_WIDTH_M)


def radius_of(shape: str) -> float:
    """Return the radius of the circle around an object, seen from above, m.

    Args:
        shape: of `vocabulary.SHAPES` or `DISTRACTOR_HALF_SIZES_M`.
    """
    if shape == "cube":
        return OBJECT_WIDTH_M * math.sqrt(0.5)
    if shape in DISTRACTOR_HALF_SIZES_M:
        return math.hypot(*DISTRACTOR_HALF_SIZES_M[shape][:2])
    return {"bowl": BOWL_RADIUS_M, "plate": PLATE_RADIUS_M}.get(shape, OBJECT_WIDTH_M / 2)


def rgb_of(shape: str, colour: str) -> Rgb:
    """Return the nominal colour of an object.

    Args:
        shape: of `vocabulary.SHAPES` or `DISTRACTOR_HALF_SIZES_M`.
        colour: of `COLOUR_RGB` or `DISTRACTOR_RGB`; not used for a container.
    """
    return CONTAINER_RGB.get(shape) or {**COLOUR_RGB, **DISTRACTOR_RGB}[colour]
