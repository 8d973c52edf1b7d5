"""Waypoints: what a planner that reasons in tool poses sends, and how they lie in `Plan.data` (kind "waypoints")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pinocchio
from numpy.typing import NDArray

from vla_ros.arrays import Array

KIND = "waypoints"
COLUMNS = ("index", "x", "y", "z", "qx", "qy", "qz", "qw", "gripper", "speed")


@dataclass(frozen=True)
class Waypoint:
    """One place to go to.

    index: counts up over one instruction. T_base_tool: (4, 4). gripper: finger joint on arrival, m; the arm goes on when
    the finger has come to rest. speed: largest tool speed on the way there, m/s.
    """

    index: int
    T_base_tool: Array
    gripper: float
    speed: float


def pack(waypoints: Sequence[Waypoint]) -> Array:
    """Return rows (m, 10) float64 with the columns `COLUMNS`, quaternions as xyzw."""
    rows = np.zeros((len(waypoints), len(COLUMNS)))
    for row, waypoint in zip(rows, waypoints, strict=True):
        row[0] = waypoint.index
        row[1:8] = pinocchio.SE3ToXYZQUAT(pinocchio.SE3(waypoint.T_base_tool))
        row[8:] = waypoint.gripper, waypoint.speed
    return rows


def unpack(rows: NDArray[np.generic]) -> tuple[Waypoint, ...]:
    """Return the waypoints of rows (m, 10), in the order of their indices.

    Raises:
        ValueError: the shape is another one, a value is not finite, a quaternion is not of unit length or a speed is
            not positive.
    """
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(COLUMNS):
        raise ValueError(f"waypoints: expected rows of {len(COLUMNS)} values, got shape {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("waypoints: a value is not finite")
    if (np.abs(np.linalg.norm(table[:, 4:8], axis=1) - 1) > 1e-6).any() or (table[:, 9] <= 0).any():
        raise ValueError("waypoints: quaternions must be of unit length and speeds positive")
    waypoints = [Waypoint(int(row[0]), pinocchio.XYZQUATToSE3(row[1:8]).homogeneous, row[8], row[9]) for row in table]
    return tuple(sorted(waypoints, key=lambda waypoint: waypoint.index))
