"""Rotations in three ways, each the inverse of its reader; the convention of roll, pitch and yaw is a URDF's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_ros.policies.binding.tool_pose import (
    QUATERNION,
    RPY,
    VECTOR,
    angle_between,
    components,
    nearest_values,
    rotation_from,
    rotation_values,
)

ANGLE = st.floats(-math.pi, math.pi, allow_nan=False)


def about(axis: int, angle: float) -> np.ndarray:
    """Return the (3, 3) rotation about one axis."""
    c, s = math.cos(angle), math.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


@settings(deadline=None)
@given(ANGLE, ANGLE, ANGLE)
def test_roll_pitch_yaw_are_about_the_fixed_axes_x_y_z(roll: float, pitch: float, yaw: float) -> None:
    expected = about(2, yaw) @ about(1, pitch) @ about(0, roll)
    assert rotation_from(RPY, np.array([roll, pitch, yaw])) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(ANGLE, ANGLE, ANGLE, st.sampled_from([RPY, VECTOR, QUATERNION]))
def test_values_of_a_rotation_give_it_back(roll: float, pitch: float, yaw: float, kind: tuple[str, ...]) -> None:
    rotation = about(2, yaw) @ about(1, pitch) @ about(0, roll)
    assert rotation_from(kind, rotation_values(kind, rotation)) == pytest.approx(rotation, abs=1e-6)


@pytest.mark.parametrize("pitch", [math.pi / 2, -math.pi / 2])
def test_a_pitch_of_a_right_angle_has_values_too(pitch: float) -> None:
    rotation = about(2, 0.4) @ about(1, pitch) @ about(0, 0.3)
    assert rotation_from(RPY, rotation_values(RPY, rotation)) == pytest.approx(rotation, abs=1e-6)


def test_a_rotation_vector_is_axis_times_angle() -> None:
    assert rotation_from(VECTOR, np.array([0.0, 0.0, 0.3])) == pytest.approx(about(2, 0.3))
    assert rotation_from(VECTOR, np.zeros(3)) == pytest.approx(np.eye(3))
    assert rotation_values(VECTOR, about(0, -0.7)) == pytest.approx([-0.7, 0, 0])


def test_a_quaternion_need_not_have_length_one_and_has_none_without_length() -> None:
    assert rotation_from(QUATERNION, np.array([0, 0, 2.0, 2.0])) == pytest.approx(about(2, math.pi / 2))
    with pytest.raises(ValueError, match="a quaternion of length 0"):
        rotation_from(QUATERNION, np.zeros(4))


@settings(deadline=None)
@given(ANGLE, ANGLE, ANGLE, st.sampled_from([RPY, VECTOR, QUATERNION]), st.lists(ANGLE, min_size=4, max_size=4))
def test_the_nearest_values_are_of_the_same_rotation(
    roll: float, pitch: float, yaw: float, kind: tuple[str, ...], reference: list[float]
) -> None:
    rotation, near = about(2, yaw) @ about(1, pitch) @ about(0, roll), np.array(reference[: len(kind)])
    values = rotation_values(kind, rotation)
    found = nearest_values(kind, values, near)
    assert rotation_from(kind, found) == pytest.approx(rotation, abs=1e-6)
    assert np.linalg.norm(found - near) <= np.linalg.norm(values - near) + 1e-9
    assert (nearest_values(kind, values, np.full(len(kind), np.nan)) == values).all()


def test_a_pose_has_all_components() -> None:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = about(2, 0.5), [1, 2, 3]
    found = components(pose)
    assert [found[name] for name in ("x", "y", "z", "roll", "pitch", "yaw", "rz")] == pytest.approx(
        [1, 2, 3, 0, 0, 0.5, 0.5]
    )
    assert found["qz"] == pytest.approx(math.sin(0.25)) and found["qw"] == pytest.approx(math.cos(0.25))


def test_the_angle_between_rotations() -> None:
    assert angle_between(about(0, 0.3), about(0, -0.1)) == pytest.approx(0.4)
