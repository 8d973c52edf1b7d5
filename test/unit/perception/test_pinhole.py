"""Points to pixels and back."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.perception.intrinsics import pinhole_matrix
from vla_ros.perception.pinhole import PinholeCamera

LOOKING_DOWN = np.array([[1.0, 0, 0, 0.4], [0, -1, 0, 0.1], [0, 0, -1, 1.0], [0, 0, 0, 1]])


def test_a_pixel_shows_the_point_on_the_plane_that_projects_to_it() -> None:
    camera = PinholeCamera(pinhole_matrix(100, 100, 1.0), LOOKING_DOWN)
    point = np.array([0.52, -0.03, 0.02])
    (pixel,) = camera.project(point[None])
    assert camera.point_on_plane(pixel, 0.02) == pytest.approx(point)


def test_x_runs_right_and_y_runs_down_in_the_image() -> None:
    camera = PinholeCamera(pinhole_matrix(100, 100, 1.0), LOOKING_DOWN)
    centre, right, down = camera.project(np.array([[0.4, 0.1, 0.0], [0.5, 0.1, 0.0], [0.4, 0.0, 0.0]]))
    assert centre == pytest.approx([49.5, 49.5])
    assert right[0] > centre[0] and down[1] > centre[1]
