"""Poses and rotations agree with their definitions, whichever library computes them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.arrays import Array
from vla_ros.transforms import axes_along, matrix, pose, quaternion_from_rpy, quaternion_from_z_axis

ANGLES = st.floats(-math.pi, math.pi)


def about(axis: int, angle: float) -> Array:
    """Rotation (3, 3) about one of the axes x, y, z."""
    c, s = math.cos(angle), math.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
    return turn


@given(ANGLES, ANGLES, ANGLES)
def test_rpy_turns_about_the_fixed_axes_x_y_z_in_this_order(roll: float, pitch: float, yaw: float) -> None:
    expected = about(2, yaw) @ about(1, pitch) @ about(0, roll)
    turned = matrix(np.zeros(3), quaternion_from_rpy(roll, pitch, yaw))[:3, :3]
    np.testing.assert_allclose(turned, expected, atol=1e-12)


@given(ANGLES, ANGLES)
def test_a_pose_comes_back_from_its_matrix(pitch: float, yaw: float) -> None:
    quaternion = quaternion_from_rpy(0.3, pitch, yaw)
    found = pose(matrix([1.0, 2.0, 3.0], quaternion))
    np.testing.assert_array_equal(found[:3], [1.0, 2.0, 3.0])
    assert abs(float(found[3:] @ quaternion)) == pytest.approx(1.0)  # q and -q are one rotation


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (0.0, 0.6, -0.8), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)])
def test_z_is_turned_to_the_axis(axis: tuple[float, float, float]) -> None:
    quaternion = quaternion_from_z_axis(np.array(axis))
    assert np.linalg.norm(quaternion) == pytest.approx(1.0)
    np.testing.assert_allclose(matrix(np.zeros(3), quaternion)[:3, 2], axis, atol=1e-12)


@given(st.tuples(*[st.floats(-2.0, 2.0)] * 3))
def test_axes_along_a_line_are_orthonormal(line: tuple[float, float, float]) -> None:
    axes = axes_along(np.array(line))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    length = float(np.linalg.norm(line))
    if length >= 1e-6:
        np.testing.assert_allclose(axes[0] * length, line, atol=1e-12)
