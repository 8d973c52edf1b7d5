"""A reported obstacle as a body of the oracle."""

from __future__ import annotations

import numpy as np

from vla_ros.oracle.clearances import WORLD, ball, box
from vla_ros.oracle.robot import JudgedBody, capsule
from vla_ros.safety.geometry.obstacle_shape import Obstacle


def obstacle_body(obstacle: Obstacle) -> JudgedBody:
    """Return the body of an obstacle without a `fault`, in its frame, which is the URDF's root link."""
    x, y, z, w = np.array(obstacle.quaternion) / np.linalg.norm(obstacle.quaternion)
    R = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    if obstacle.shape == "sphere":
        return ball(obstacle.xyz, obstacle.size[0])
    if obstacle.shape == "box":
        return box(obstacle.xyz, obstacle.size, R)
    half = R[:, 2] * obstacle.size[1] / 2
    return capsule(WORLD, np.array(obstacle.xyz) - half, np.array(obstacle.xyz) + half, obstacle.size[0])
