"""The tool's pose as the numbers of a checkpoint: positions, and rotations in one of three ways.

Roll, pitch and yaw are a URDF's: rotations about the fixed axes x, then y, then z, R = Rz(yaw) Ry(pitch) Rx(roll). OpenVLA's
data use the same (euler angles "sxyz"). rx, ry and rz are the rotation vector, axis times angle, as in robosuite and LIBERO.
A rotation of an action that is not absolute is about the axes of the base, at the tool: R_new = R(delta) R_old, and
p_new = p_old + delta.

Source: URDF specification, <origin rpy>; robosuite, controllers' `set_goal_orientation` (delta times present orientation);
SimplerEnv, `ee_align` frames of the delta pose controllers.
"""

from __future__ import annotations

import math

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.binding.bound_values import ROTATIONS
from vla_ros.transforms import quaternion_from_matrix, quaternion_from_rpy, quaternion_matrix

RPY, VECTOR, QUATERNION = ROTATIONS
LEAST_NORM = 1e-6
"""A quaternion that is shorter says no rotation."""


def rotation_from(kind: tuple[str, ...], values: Array) -> Array:
    """Return the (3, 3) rotation. kind: one of ROTATIONS. values: (3,) rad or (4,) xyzw, in that order.

    Raises:
        ValueError: a quaternion of no length.
    """
    if kind == RPY:
        quaternion = quaternion_from_rpy(*(float(value) for value in values))
    elif kind == VECTOR:
        angle = float(np.linalg.norm(values))
        half = 0.5 * np.sinc(angle / (2 * math.pi))  # sin(angle / 2) / angle, also at 0
        quaternion = np.array([*(half * values), math.cos(angle / 2)])
    else:
        length = float(np.linalg.norm(values))
        if length < LEAST_NORM:
            raise ValueError("a quaternion of length 0")
        quaternion = values / length
    matrix: Array = np.asarray(quaternion_matrix(quaternion), np.float64)[:3, :3]
    return matrix


def rotation_values(kind: tuple[str, ...], rotation: Array) -> Array:
    """Return (3,) rad or (4,) xyzw, w not negative, of a (3, 3) rotation: the inverse of `rotation_from`."""
    if kind == RPY:
        flat = math.hypot(rotation[0, 0], rotation[1, 0])
        if flat < 1e-9:  # pitch is a right angle: roll and yaw turn about one axis, and all is told as roll
            roll = math.atan2(-rotation[1, 2], rotation[1, 1])
            return np.array([roll, math.atan2(-rotation[2, 0], flat), 0.0])
        return np.array(
            [
                math.atan2(rotation[2, 1], rotation[2, 2]),
                math.atan2(-rotation[2, 0], flat),
                math.atan2(rotation[1, 0], rotation[0, 0]),
            ]
        )
    transform = np.eye(4)
    transform[:3, :3] = rotation
    quaternion: Array = np.asarray(quaternion_from_matrix(transform), np.float64)
    quaternion = -quaternion if quaternion[3] < 0 else quaternion
    if kind == QUATERNION:
        return quaternion
    sine = float(np.linalg.norm(quaternion[:3]))
    angle = 2 * math.atan2(sine, quaternion[3])
    return quaternion[:3] * (angle / sine if sine > 1e-12 else 2.0)


def nearest_values(kind: tuple[str, ...], values: Array, reference: Array) -> Array:
    """Return the values of the same rotation that are nearest to `reference`, (3,) or (4,); not finite: `values`.

    A tool that points down has a roll of half a turn: 3.14 in some data and -3.14 in others.
    """
    if not np.isfinite(reference).all():
        return values
    if kind == RPY:
        return values + 2 * math.pi * np.round((reference - values) / (2 * math.pi))
    other = -values
    if kind == VECTOR:
        angle = float(np.linalg.norm(values))
        other = values * (1 - 2 * math.pi / angle) if angle > 1e-9 else values
    return min(values, other, key=lambda found: float(np.linalg.norm(found - reference)))


def components(T_base_tool: Array) -> dict[str, float]:
    """Return every component of a pose (4, 4) by name, m and rad: what a state may hold of it."""
    found = dict(zip("xyz", map(float, T_base_tool[:3, 3]), strict=True))
    for kind in ROTATIONS:
        found |= dict(zip(kind, map(float, rotation_values(kind, T_base_tool[:3, :3])), strict=True))
    return found


def angle_between(one: Array, other: Array) -> float:
    """Return the angle between two (3, 3) rotations, rad."""
    return float(np.linalg.norm(rotation_values(VECTOR, one @ other.T)))
