"""A trajectory as the bytes of a `trajectory_msgs/JointTrajectory`, as rclpy would serialise it, in a tenth of the time.

The encoding is plain CDR, little-endian (OMG, DDS-XTypes 1.3, 7.4): each value on a multiple of its own size, counted from
behind the four bytes of the head; sequences and strings begin with their length in four bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.safety.trajectory import Trajectory
from vla_ros.time import NS_PER_S

HEAD = b"\x00\x01\x00\x00"


class TrajectoryBytes:
    """Writes the messages of one controller.

    Args:
        joint_names: that the message names.
        columns: of the trajectory, one per name.
    """

    def __init__(self, joint_names: Sequence[str], columns: Sequence[int]) -> None:
        names = struct.pack("<I", 1) + b"\x00"  # frame_id: empty
        names += bytes(-len(names) % 4) + struct.pack("<I", len(joint_names))
        for name in joint_names:
            text = name.encode() + b"\x00"
            names += bytes(-len(names) % 4) + struct.pack("<I", len(text)) + text
        self._names = names + bytes(-len(names) % 4)
        self._columns = list(columns)
        # Doubles lie on multiples of 8. A point is a multiple of 8 long from its own first multiple on, so that only the
        # first one may lack the gap behind its first length.
        self._gap = (8 + len(self._names) + 4) % 8 == 0
        self._dtypes = {with_a: _point(len(self._columns), with_a) for with_a in (False, True)}

    def __call__(self, trajectory: Trajectory) -> bytes:
        """Return the message of a trajectory; one with accelerations has one point."""
        points: NDArray[np.void] = np.zeros(
            len(trajectory.times_ns), self._dtypes[trajectory.accelerations is not None]
        )
        self._fill(points, "p", trajectory.positions)
        self._fill(points, "v", trajectory.velocities)
        if trajectory.accelerations is not None:
            self._fill(points, "a", trajectory.accelerations)
        points["sec"], points["nanosec"] = np.divmod(trajectory.times_ns, NS_PER_S)
        stamp = struct.pack("<iI", *divmod(trajectory.stamp_ns, NS_PER_S))
        count, body = struct.pack("<I", len(points)), points.tobytes()
        if not self._gap:
            body = body[:4] + body[8:]
        return HEAD + stamp + self._names + count + body

    def _fill(self, points: NDArray[np.void], name: str, values: Array) -> None:
        points[f"{name}_length"] = len(self._columns)
        points[name] = values[:, self._columns]


def _point(joints: int, with_accelerations: bool) -> np.dtype[np.void]:
    """The layout of a point that begins on a multiple of 8. What is not filled stays an empty sequence."""
    fields: list[tuple[str, str] | tuple[str, str, tuple[int, ...]]] = []
    for name in ("p", "v", "a") if with_accelerations else ("p", "v"):
        fields += [(f"{name}_length", "<u4"), (f"{name}_gap", "<u4"), (name, "<f8", (joints,))]
    empty = ("effort",) if with_accelerations else ("acceleration", "effort")
    return np.dtype([*fields, *((f"{name}_length", "<u4") for name in empty), ("sec", "<i4"), ("nanosec", "<u4")])
