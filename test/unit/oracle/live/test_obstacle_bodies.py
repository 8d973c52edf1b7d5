"""Obstacles as bodies: where their ends are, however they are turned."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.oracle.live.obstacle_bodies import obstacle_body
from vla_ros.safety.geometry.obstacle_shape import Obstacle

QUARTER = (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5))
"""About y: z becomes x."""


def test_a_capsule_lies_along_its_turned_axis() -> None:
    body = obstacle_body(Obstacle("o", "base", "capsule", (0.1, 0.4), (1.0, 2.0, 3.0), QUARTER))
    end = body.T_link_body[:3, :3] @ body.half
    assert np.abs(end) == pytest.approx([0.2, 0.0, 0.0], abs=1e-12)
    assert body.radius == 0.1
    assert body.T_link_body[:3, 3] == pytest.approx([1.0, 2.0, 3.0])


def test_a_box_is_turned_and_a_sphere_is_a_point_with_a_radius() -> None:
    body = obstacle_body(Obstacle("o", "base", "box", (0.2, 0.4, 0.6), (0.0, 0.0, 0.0), QUARTER))
    assert body.half == pytest.approx([0.1, 0.2, 0.3])
    assert body.T_link_body[:3, :3] @ [0.0, 0.0, 1.0] == pytest.approx([1.0, 0.0, 0.0], abs=1e-12)
    assert obstacle_body(Obstacle("o", "base", "sphere", (0.2,), (0.0, 0.0, 0.0))).bounding_radius == 0.2
