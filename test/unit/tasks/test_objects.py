"""Sizes and colours of the objects."""

from __future__ import annotations

import math

import pytest

from vla_ros.tasks.objects import (
    COLOUR_RGB,
    CONTAINER_RGB,
    DISTRACTOR_HALF_SIZES_M,
    DISTRACTOR_RGB,
    height_of,
    radius_of,
    rgb_of,
)
from vla_ros.tasks.vocabulary import COLOURS, CONTAINERS


def test_every_colour_and_container_has_an_rgb_of_its_own() -> None:
    assert tuple(COLOUR_RGB) == COLOURS and tuple(CONTAINER_RGB) == CONTAINERS
    every = [*COLOUR_RGB.values(), *CONTAINER_RGB.values(), *DISTRACTOR_RGB.values()]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("shape", "height", "radius"),
    [
        ("cube", 0.044, 0.044 / math.sqrt(2)),
        ("cylinder", 0.055, 0.022),
        ("ball", 0.044, 0.022),
        ("bowl", 0.045, 0.075),
        ("plate", 0.010, 0.080),
        ("domino", 0.016, math.hypot(0.012, 0.024)),
    ],
)
def test_sizes_follow_from_the_shape(shape: str, height: float, radius: float) -> None:
    assert height_of(shape) == pytest.approx(height) and radius_of(shape) == pytest.approx(radius)


def test_a_container_has_its_colour_and_a_distractor_no_colour_of_an_object() -> None:
    assert rgb_of("bowl", "") == CONTAINER_RGB["bowl"]
    assert all(rgb_of(shape, "grey") not in COLOUR_RGB.values() for shape in DISTRACTOR_HALF_SIZES_M)
