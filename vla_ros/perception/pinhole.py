"""A pinhole camera with a pose: points to pixels and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array


@dataclass(frozen=True)
class PinholeCamera:
    """A camera without distortion.

    Attributes:
        k: (3, 3) pinhole matrix, pixel; pixel centres are whole numbers.
        T_base_camera: (4, 4) pose of the optical frame (x right, y down, z forward) in the base frame.
    """

    k: Array
    T_base_camera: Array

    def project(self, points: Array) -> Array:
        """Return (m, 2) pixels of points (m, 3) in the base frame, m."""
        rotation, origin = self.T_base_camera[:3, :3], self.T_base_camera[:3, 3]
        rays = (points - origin) @ rotation @ self.k.T
        pixels: Array = rays[:, :2] / rays[:, 2:]
        return pixels

    def point_on_plane(self, pixel: Array, height: float) -> Array:
        """Return the point (3,) of the base frame that `pixel` (2,) shows if it lies at z = height, m."""
        ray = self.T_base_camera[:3, :3] @ np.linalg.solve(self.k, np.array([pixel[0], pixel[1], 1.0]))
        origin = self.T_base_camera[:3, 3]
        point: Array = origin + ray * (height - origin[2]) / ray[2]
        return point
