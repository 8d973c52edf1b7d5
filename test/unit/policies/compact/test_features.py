"""Inputs of the network."""

import numpy as np
import pytest

from vla_ros.policies.compact.features import nearest_symmetric_yaw, pointing_down, yaw_of


@pytest.mark.parametrize("yaw", [-2.0, 0.0, 0.7])
def test_the_yaw_of_a_hand_that_points_down(yaw):
    rotation = pointing_down(np.array(yaw))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert yaw_of(rotation) == pytest.approx(yaw)


def test_a_turn_that_looks_the_same_is_taken_next_to_the_hand():
    rotated = nearest_symmetric_yaw(np.array(1.5), 4, np.array(0.0))
    assert rotated == pytest.approx(1.5 - np.pi / 2)
    assert abs(nearest_symmetric_yaw(np.array(np.pi), 2, np.array(0.2))) < 1e-9


def test_a_turn_that_the_wrist_cannot_follow_is_not_taken():
    sideways, here = np.array(np.pi / 2), np.array(0.0)
    assert nearest_symmetric_yaw(sideways, 2, here, (-1.2, 3.0)) == pytest.approx(np.pi / 2)
    assert nearest_symmetric_yaw(sideways, 2, here, (-3.0, 1.2)) == pytest.approx(-np.pi / 2)
    assert nearest_symmetric_yaw(sideways, 1, here, (-3.0, 1.2)) == pytest.approx(np.pi / 2)  # there is no other
