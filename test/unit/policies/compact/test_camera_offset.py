"""Error of a camera's pose, from detections of the tool."""

import numpy as np
import pytest

from vla_ros.policies.compact.camera_offset import DEADBAND_PX, CameraOffset


def test_a_camera_that_stands_where_it_should_is_not_corrected():
    rng, offset = np.random.default_rng(0), CameraOffset()
    for _ in range(300):
        offset.update(np.array([100.0, 90.0]) + rng.normal(0, 1.5, 2), np.array([100.0, 90.0]), 1.0, 0.0)
    np.testing.assert_array_equal(offset.offset, [0.0, 0.0])


def test_a_camera_that_looks_aside_is():
    rng, offset = np.random.default_rng(0), CameraOffset()
    for _ in range(10):
        offset.update(np.array([114.0, 82.0]) + rng.normal(0, 1.0, 2), np.array([100.0, 90.0]), 1.0, 0.0)
    np.testing.assert_allclose(offset.offset, [14.0, -8.0], atol=1.5)


@pytest.mark.parametrize(("probability", "speed"), [(0.4, 0.0), (1.0, 0.3), (1.0, np.inf)])
def test_a_tool_that_is_hidden_or_quick_says_nothing(probability, speed):
    offset = CameraOffset()
    offset.update(np.array([150.0, 90.0]), np.array([100.0, 90.0]), probability, speed)
    np.testing.assert_array_equal(offset.offset, [0.0, 0.0])


def test_the_correction_begins_without_a_jump_at_the_edge_of_the_deadband():
    def corrected(pixels: float) -> float:
        offset = CameraOffset()
        for _ in range(2000):
            offset.update(np.array([pixels, 0.0]), np.zeros(2), 1.0, 0.0)
        return float(offset.offset[0])

    assert corrected(DEADBAND_PX - 0.01) == 0.0
    assert 0.0 < corrected(DEADBAND_PX + 0.01) < 0.05
    assert corrected(3 * DEADBAND_PX) == pytest.approx(3 * DEADBAND_PX, abs=1e-6)
