"""Shape, place and size from the outline of a segment."""

from __future__ import annotations

import math

import numpy as np
import pytest

from test.unit.policies.classical.drawn_objects import BLUE_CYLINDER, CAMERA, RED_BALL, RED_CUBE, draw
from vla_ros.policies.classical.segmentation import segment_image
from vla_ros.policies.classical.shape_fitting import SHAPE_MODELS, FittedShape, fit_shape


@pytest.mark.parametrize(("colour", "shape"), [("red", RED_CUBE), ("blue", BLUE_CYLINDER), ("red", RED_BALL)])
def test_an_object_is_fitted_where_it_is(colour: str, shape: FittedShape) -> None:
    (segment,) = segment_image(draw((colour, shape)))
    found = fit_shape(segment, CAMERA, 0.0, shape.shape)
    assert found.p_base == pytest.approx(shape.p_base, abs=0.004)
    assert found.width == pytest.approx(shape.width, abs=0.004) and found.fit > 0.9
    if shape.shape == "cube":
        assert abs(math.remainder(found.yaw - shape.yaw, math.pi / 2)) < 0.15


def test_the_wrong_shape_fits_worse() -> None:
    (segment,) = segment_image(draw(("blue", BLUE_CYLINDER)))
    assert fit_shape(segment, CAMERA, 0.0, "ball").fit < fit_shape(segment, CAMERA, 0.0, "cylinder").fit - 0.05


def test_a_cube_extends_farthest_along_its_diagonal() -> None:
    across, diagonal = np.array([1.0, 0.0]), np.array([1.0, 1.0]) / math.sqrt(2)
    cube = FittedShape("cube", np.zeros(3), 0.0, 0.04, 0.04)
    assert cube.extent(across) == pytest.approx(0.02) and cube.extent(diagonal) == pytest.approx(0.02 * math.sqrt(2))
    ball = FittedShape("ball", np.zeros(3), 0.0, 0.04, 0.04)
    assert ball.extent(across) == ball.extent(diagonal) == pytest.approx(0.02)


def test_nominal_sizes_are_inside_the_models() -> None:
    low, high = SHAPE_MODELS["cylinder"].stretch
    assert (low, high) == (1.1, 1.4) and SHAPE_MODELS["cube"].widths == (0.038, 0.05)
    assert SHAPE_MODELS["bowl"].stretch == (0.3, 0.3) and SHAPE_MODELS["plate"].widths == (0.15, 0.17)
