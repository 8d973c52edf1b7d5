"""Poses, rotations and axes. Quaternions are xyzw as in ROS; angles are rad.

By tf_transformations where it is installed (a ROS installation), else by transforms3d (PyPI), on which it is built.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vla_ros.arrays import Array

__all__ = [
    "axes_along",
    "matrix",
    "pose",
    "quaternion_from_euler",
    "quaternion_from_matrix",
    "quaternion_from_rpy",
    "quaternion_from_z_axis",
    "quaternion_matrix",
]

try:
    from tf_transformations import quaternion_from_euler, quaternion_from_matrix, quaternion_matrix
except ImportError:
    from transforms3d.euler import euler2quat
    from transforms3d.quaternions import mat2quat, quat2mat

    def quaternion_matrix(quaternion: ArrayLike) -> Array:
        x, y, z, w = np.asarray(quaternion, np.float64)
        transform = np.eye(4)
        transform[:3, :3] = quat2mat([w, x, y, z])
        return transform

    def quaternion_from_matrix(transform: ArrayLike) -> Array:
        w, x, y, z = mat2quat(np.asarray(transform, np.float64)[:3, :3])
        return np.array([x, y, z, w])

    def quaternion_from_euler(roll: float, pitch: float, yaw: float) -> Array:
        w, x, y, z = euler2quat(roll, pitch, yaw)
        return np.array([x, y, z, w])


def matrix(position: ArrayLike, quaternion: ArrayLike) -> Array:
    """Return the (4, 4) transform with this translation (m) and rotation (xyzw)."""
    transform: Array = np.array(quaternion_matrix(quaternion), np.float64)
    transform[:3, 3] = position
    return transform


def pose(transform: ArrayLike) -> Array:
    """Return (7,) xyz and quaternion xyzw of a (4, 4) transform."""
    transform = np.asarray(transform, np.float64)
    return np.concatenate([transform[:3, 3], quaternion_from_matrix(transform)])


def quaternion_from_rpy(roll: float, pitch: float, yaw: float) -> Array:
    """Return the quaternion (4,) xyzw of a URDF's rpy: rotations about the fixed axes x, then y, then z, rad."""
    return np.asarray(quaternion_from_euler(roll, pitch, yaw), np.float64)


def quaternion_from_z_axis(axis: Array) -> Array:
    """Return the quaternion (4,) xyzw of the shortest rotation that takes z to the unit vector `axis` (3,).

    It is (z × axis, 1 + z · axis) normalised; half a turn about x where `axis` is -z.
    """
    quaternion = np.array([-axis[1], axis[0], 0.0, 1.0 + axis[2]])
    length = float(np.linalg.norm(quaternion))
    return quaternion / length if length > 1e-9 else np.array([1.0, 0.0, 0.0, 0.0])


def axes_along(line: Array) -> Array:
    """Return (3, 3) orthonormal rows of which the first points along `line` (3,); the identity where it has no length."""
    length = float(np.linalg.norm(line))
    if length < 1e-6:
        return np.eye(3)
    first = line / length
    second = np.cross(first, np.eye(3)[np.argmin(np.abs(first))])
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])
