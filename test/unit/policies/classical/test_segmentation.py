"""Coloured segments of an image."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.policies.classical.drawn_objects import BLUE_CYLINDER, CAMERA, RED_CUBE, draw
from vla_ros.policies.classical.segmentation import HUES, MIN_PIXELS, resting_place, segment_image
from vla_ros.tasks.vocabulary import COLOURS, CONTAINERS


def test_every_colour_and_container_has_a_range_of_hues() -> None:
    assert set(HUES) == {*COLOURS, *CONTAINERS}


def test_each_object_is_one_segment_of_its_colour() -> None:
    segments = segment_image(draw(("red", RED_CUBE), ("blue", BLUE_CYLINDER)))
    assert {segment.colour for segment in segments} == {"red", "blue"} and len(segments) == 2
    assert all(segment.whole and segment.pixels == segment.mask.sum() for segment in segments)


def test_a_grey_table_and_specks_are_no_segments() -> None:
    image = np.full((64, 64, 3), 120, np.uint8)
    image[10:14, 10:14] = (220, 20, 15)
    assert MIN_PIXELS > 16 and segment_image(image) == []


def test_what_touches_the_border_is_not_whole() -> None:
    image = np.full((64, 64, 3), 120, np.uint8)
    image[:20, :20] = (220, 20, 15)
    (segment,) = segment_image(image)
    assert segment.colour == "red" and not segment.whole


def test_a_highlight_is_part_of_its_segment() -> None:
    image = np.full((64, 64, 3), 120, np.uint8)
    image[20:40, 20:40] = (220, 20, 15)
    image[28:32, 28:32] = 255
    (segment,) = segment_image(image)
    assert segment.mask[30, 30] and segment.pixels == 400


def test_a_segment_says_where_an_object_of_known_height_stands() -> None:
    (segment,) = segment_image(draw(("red", RED_CUBE)))
    assert resting_place(segment, CAMERA, 0.0, 0.044) == pytest.approx(RED_CUBE.p_base[:2], abs=0.008)
