"""Where the hand can go: how near to its limits the arm comes on the way there, and which turn of the hand is best."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pinocchio

from vla_ros.arrays import Array
from vla_ros.robot.kinematics import CENTERING_PER_M, Kinematics

FINGER_REACH = 0.05  # m: from the tool to the middle of an open finger
FINGER_ROOM = 0.045  # m: from there to the middle of another object
WAY_STEPS = 16  # in which a straight way is tried out
TURNING = 0.2  # per rad of turn of the hand: it takes time
MOST_STRAIN = 0.97  # of a joint on the way: 1 is its limit


class Reachability:
    """Which poses of the tool, pointing down, the arm can take.

    Args:
        kinematics: of the arm.
        table_height: of the table, m, base frame: where heights are counted from.
    """

    def __init__(self, kinematics: Kinematics, table_height: float) -> None:
        self._kinematics = kinematics
        self._table = table_height

    def pose(self, spot: Array, height: float, yaw: float) -> Array:
        """Return T_base_tool (4, 4): pointing down, `height` above the table, fingers opening across `yaw`."""
        c, s = math.cos(yaw), math.sin(yaw)
        return np.array(
            [[c, s, 0.0, spot[0]], [s, -c, 0.0, spot[1]], [0.0, 0.0, -1.0, self._table + height], [0.0, 0.0, 0.0, 1.0]]
        )

    def best_yaw(
        self, q: Array, spot: Array, height: float, yaws: Sequence[float], others: Sequence[Array]
    ) -> float | None:
        """Return the yaw of those given for which the arm stays farthest from its joint limits and the fingers have room.

        Args:
            q: (n,) where the arm is.
            spot, height: where the tool is to go, see `pose`.
            yaws: to choose from, rad.
            others: (2,) each, positions of objects that the fingers should not touch.

        Returns:
            rad; None where the arm cannot get there with any.
        """
        now = yaw_of(self._kinematics.forward(q))
        best, least = None, math.inf
        for yaw in yaws:
            strain = self.strain(q, self.pose(spot, height, yaw))
            if strain is None:
                continue
            cost = strain + TURNING * abs(math.remainder(yaw - now, 2 * math.pi))
            across = np.array([math.sin(yaw), -math.cos(yaw)])
            for finger in (spot + FINGER_REACH * across, spot - FINGER_REACH * across):
                room = min((float(np.linalg.norm(other - finger)) for other in others), default=math.inf)
                cost += max(0.0, FINGER_ROOM - room) / FINGER_ROOM
            if cost < least:
                best, least = yaw, cost
        return best

    def strain(self, q: Array, T_base_tool: Array) -> float | None:
        """Return how near to a joint limit the arm comes on a straight way to this pose; None where it cannot get there."""
        start = self._kinematics.forward(q)
        turn = pinocchio.log3(start[:3, :3].T @ T_base_tool[:3, :3])
        way = T_base_tool[:3, 3] - start[:3, 3]
        strain = 0.0
        for share in np.linspace(0.0, 1.0, WAY_STEPS + 1)[1:]:
            pose = start.copy()
            pose[:3, 3] += share * way
            pose[:3, :3] = start[:3, :3] @ pinocchio.exp3(share * turn)
            q = self._kinematics.follow(pose, q, CENTERING_PER_M * float(np.linalg.norm(way)) / WAY_STEPS)
            strain = max(strain, self._kinematics.limit_proximity(q))
            if strain > MOST_STRAIN:
                return None
        return strain if np.abs(self._kinematics.forward(q) - T_base_tool).max() < 1e-3 else None


def yaw_of(T_base_tool: Array) -> float:
    """Return the yaw of a tool that points down, rad; see `Reachability.pose`."""
    return math.atan2(T_base_tool[1, 0], T_base_tool[0, 0])
