"""Axes, and rotations: quaternions are xyzw as in ROS. By tf_transformations where it is installed, else transforms3d."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

try:
    from tf_transformations import quaternion_from_matrix, quaternion_matrix
except ImportError:
    from transforms3d.quaternions import mat2quat, quat2mat

    def quaternion_matrix(quaternion: ArrayLike) -> Array:
        x, y, z, w = np.asarray(quaternion, np.float64)
        transform = np.eye(4)
        transform[:3, :3] = quat2mat([w, x, y, z])
        return transform

    def quaternion_from_matrix(transform: ArrayLike) -> Array:
        w, x, y, z = mat2quat(np.asarray(transform, np.float64)[:3, :3])
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


def axes_along(line: Array) -> Array:
    """Return (3, 3) orthonormal rows of which the first points along `line`; any, where it has no length."""
    length = float(np.linalg.norm(line))
    if length < 1e-6:
        return np.eye(3)
    first = line / length
    second = np.cross(first, np.eye(3)[np.argmin(np.abs(first))])
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])
