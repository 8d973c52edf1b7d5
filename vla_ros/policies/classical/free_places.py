"""Where on the table there is room for an object: beside others, between them. Lengths in m, base frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.language.steps import Relation
from vla_ros.tasks.hand import FINGER_OPEN_M

BESIDE_GAP_M = 0.025
"""Between an object and the one that it is put beside: the fingers open there."""
FREE_GAP_M = 0.012
"""Between an object that is put down and any other."""
NEAREST_X_M, FARTHEST_M, WIDEST_Y_M = 0.34, 0.72, 0.33
"""The table that the arm works on: least x, largest distance from the first joint, largest |y|."""
TURNS = (0.0, 15.0, -15.0, 30.0, -30.0)
"""Degrees off the direction that was said, which still are "left of" and so on."""
DIRECTIONS = {
    "left": (0.0, 1.0),
    "right": (0.0, -1.0),
    "forward": (1.0, 0.0),
    "back": (-1.0, 0.0),
}
"""Direction → unit vector in the base frame."""
SIDES = {
    Relation.LEFT_OF: "left",
    Relation.RIGHT_OF: "right",
    Relation.BEHIND: "forward",
    Relation.IN_FRONT_OF: "back",
}
"""Relation → the direction of it, as the robot looks: what is in front of an object is nearer to the robot."""


def places_beside(relation: Relation, landmarks: Sequence[tuple[Array, float]], radius_m: float) -> Iterator[Array]:
    """Yield (2,) places for an object, the best first.

    Args:
        relation: NEXT_TO, LEFT_OF, RIGHT_OF, IN_FRONT_OF, BEHIND or BETWEEN.
        landmarks: centre (2,) and radius of each object that it is put beside.
        radius_m: of the object.
    """
    centre, radius = landmarks[0]
    if relation is Relation.BETWEEN:
        yield (centre + landmarks[1][0]) / 2
        return
    distance = radius + radius_m + BESIDE_GAP_M + FINGER_OPEN_M / 2
    for more in (0.0, 0.015, 0.03):
        if relation is Relation.NEXT_TO:
            angles = [math.pi * turn / 6 for turn in (3, 9, 6, 0, 4, 8, 2, 10, 5, 7, 1, 11)]
        else:
            x, y = DIRECTIONS[SIDES[relation]]
            angles = [math.atan2(y, x) + math.radians(turn) for turn in TURNS]
        for angle in angles:
            yield centre + (distance + more) * np.array([math.cos(angle), math.sin(angle)])


def places_around(spot: Array) -> Iterator[Array]:
    """Yield (2,) places on the table, the nearest to `spot` (2,) first."""
    for distance in np.arange(0.0, 0.25, 0.03):
        for turn in range(1 if not distance else 12):
            angle = turn * math.pi / 6
            yield spot + distance * np.array([math.cos(angle), math.sin(angle)])


def place_among(centre: Array, ring_m: float, others: Sequence[Array]) -> Array:
    """Return (2,) where something goes in or on a container: its middle, else as far as can be from what is there already.

    Args:
        centre: (2,) of the container.
        ring_m: from there, at most.
        others: (2,) each, what is in it or on it.
    """
    if not others:
        return centre
    angles = [math.pi * turn / 6 for turn in range(12)]
    ring = [centre + ring_m * np.array([math.cos(angle), math.sin(angle)]) for angle in angles]
    return max([centre, *ring], key=lambda place: min(float(np.linalg.norm(place - other)) for other in others))


def is_free(place: Array, radius_m: float, others: Sequence[tuple[Array, float]]) -> bool:
    """Return whether an object has room at `place` (2,). others: centre (2,) and radius of everything that stands there."""
    on_table = (
        float(place[0]) >= NEAREST_X_M and abs(float(place[1])) <= WIDEST_Y_M and math.hypot(*place) <= FARTHEST_M
    )
    clear = all(math.hypot(*(place - centre)) >= radius + radius_m + FREE_GAP_M for centre, radius in others)
    return on_table and clear
