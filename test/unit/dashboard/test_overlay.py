"""Points of the workspace in a camera's pixels."""

from __future__ import annotations

import numpy as np

from vla_ros.dashboard.overlay import project
from vla_ros.transforms import matrix

K = np.array([[100.0, 0.0, 64.0], [0.0, 100.0, 48.0], [0.0, 0.0, 1.0]])
DOWN = matrix([0.5, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0])  # a metre above (0.5, 0), looking straight down


def test_a_camera_that_looks_down() -> None:
    below, right, towards = project([[0.5, 0.0, 0.0], [0.6, 0.0, 0.0], [0.5, 0.1, 0.0]], K, DOWN)
    assert below == (64.0, 48.0)
    assert right == (74.0, 48.0)
    assert towards == (64.0, 38.0)


def test_what_is_behind_has_no_pixel() -> None:
    assert project([[0.5, 0.0, 1.5], [0.5, 0.0, 0.999]], K, DOWN) == [None, None]
    assert project(np.zeros((0, 3)), K, DOWN) == []


def test_what_is_not_finite_has_no_pixel() -> None:
    nan, inf = np.nan, np.inf
    points = [[nan, 0.0, 0.0], [0.5, inf, 0.0], [0.5, 0.0, -inf], [0.5, 0.0, 0.0], [1.7e308, 0.0, 0.9]]
    with np.errstate(all="ignore"):
        assert project(points, K, DOWN) == [None, None, None, (64.0, 48.0), None]
        assert project([[0.5, 0.0, 0.0]], K * nan, DOWN) == [None]
