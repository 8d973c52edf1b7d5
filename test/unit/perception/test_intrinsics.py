"""Pinhole matrices keep their rays when the image is resized."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.perception.intrinsics import cropped, pinhole_matrix, resized


def test_the_edge_of_the_image_is_half_the_field_of_view_from_the_centre() -> None:
    k = pinhole_matrix(100, 200, math.radians(60))
    edge = np.linalg.solve(k, [k[0, 2], -0.5, 1.0])
    assert math.degrees(math.atan2(-edge[1], edge[2])) == pytest.approx(30.0)
    assert k[0, 0] == k[1, 1] and k[0, 2] == 99.5


def test_a_point_keeps_its_place_in_the_resized_image() -> None:
    k, point = pinhole_matrix(480, 640, 1.0), np.array([0.2, -0.1, 1.0])
    large, small = (matrix @ point for matrix in (k, resized(k.ravel(), (640, 480), (320, 120))))
    # Measured from the outer border of the image, half a pixel before the first centre.
    assert (small[0] + 0.5) / 320 == pytest.approx((large[0] + 0.5) / 640)
    assert (small[1] + 0.5) / 120 == pytest.approx((large[1] + 0.5) / 480)


def test_a_point_is_as_far_from_the_border_of_a_part_as_it_lies_in_it() -> None:
    k, point = pinhole_matrix(480, 640, 1.0), np.array([0.2, -0.1, 1.0])
    assert (cropped(k, (100, 30)) @ point)[:2] == pytest.approx((k @ point)[:2] - [100, 30])
