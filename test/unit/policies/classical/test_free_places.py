"""Where there is room on the table."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.language.steps import Relation
from vla_ros.policies.classical.free_places import is_free, places_around, places_beside

SPOT, RADIUS_M = np.array([0.5, 0.0]), 0.022


@pytest.mark.parametrize(
    ("relation", "axis", "sign"),
    [
        (Relation.LEFT_OF, 1, 1.0),
        (Relation.RIGHT_OF, 1, -1.0),
        (Relation.BEHIND, 0, 1.0),
        (Relation.IN_FRONT_OF, 0, -1.0),
    ],
)
def test_a_side_is_the_robots(relation: Relation, axis: int, sign: float) -> None:
    for place in places_beside(relation, [(SPOT, 0.075)], RADIUS_M):
        offset = place - SPOT
        assert sign * offset[axis] > 0.075 + RADIUS_M
        assert abs(offset[axis]) > abs(offset[1 - axis])


def test_next_to_is_outside_the_object_and_near_it() -> None:
    distances = [np.linalg.norm(place - SPOT) for place in places_beside(Relation.NEXT_TO, [(SPOT, 0.075)], RADIUS_M)]
    assert min(distances) > 0.075 + RADIUS_M and max(distances) < 0.075 + RADIUS_M + 0.1


def test_between_is_the_middle() -> None:
    [place] = places_beside(Relation.BETWEEN, [(SPOT, 0.02), (SPOT + (0.1, 0.2), 0.02)], RADIUS_M)
    assert place.tolist() == pytest.approx([0.55, 0.1])


def test_the_nearest_place_around_is_the_spot_itself() -> None:
    assert next(places_around(SPOT)).tolist() == SPOT.tolist()


@pytest.mark.parametrize(
    ("place", "free"), [((0.5, 0.0), False), ((0.5, 0.2), True), ((0.1, 0.0), False), ((0.5, 0.4), False)]
)
def test_room_is_on_the_table_and_away_from_others(place: tuple[float, float], free: bool) -> None:
    assert is_free(np.array(place), RADIUS_M, [(SPOT, 0.075)]) is free
