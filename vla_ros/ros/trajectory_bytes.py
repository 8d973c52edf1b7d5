"""A trajectory as the bytes of a `trajectory_msgs/JointTrajectory`, as rclpy would serialise it, in a tenth of the time.

The encoding is plain CDR, little-endian (OMG, DDS-XTypes 1.3, 7.4): each value on a multiple of its own size, counted from
behind the four bytes of the head; sequences and strings begin with their length in four bytes.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.safety.compiled import compiled
from vla_ros.safety.trajectory import Integers, Trajectory
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

    def __call__(self, trajectory: Trajectory) -> bytes:
        """Return the message of a trajectory; one with accelerations has one point."""
        stamp = struct.pack("<iI", *divmod(trajectory.stamp_ns, NS_PER_S))
        count = struct.pack("<I", len(trajectory.times_ns))
        if trajectory.accelerations is None:
            body = cdr_points(trajectory.times_ns, trajectory.positions, trajectory.velocities, self._columns)
        else:
            body = self._with_accelerations(trajectory)
        if not self._gap:
            body = body[:4] + body[8:]
        return HEAD + stamp + self._names + count + body

    def _with_accelerations(self, trajectory: Trajectory) -> bytes:
        rows = {"p": trajectory.positions, "v": trajectory.velocities, "a": trajectory.accelerations}
        return _points(trajectory.times_ns, {name: row for name, row in rows.items() if row is not None}, self._columns)


@compiled
def cdr_points(times_ns: Integers, positions: Array, velocities: Array, columns: list[int]) -> bytes:
    """Return points without accelerations as their bytes, the first one on a multiple of 8.

    Args:
        times_ns: (n,) not negative. positions, velocities: (n, joints). columns: of the joints that are written.
    """
    return _points(times_ns, {"p": positions, "v": velocities}, columns)


def _points(times_ns: Integers, rows: Mapping[str, Array], columns: list[int]) -> bytes:
    points: NDArray[np.void] = np.zeros(len(times_ns), _point(len(columns), "a" in rows))
    for name, values in rows.items():
        points[f"{name}_length"] = len(columns)
        points[name] = values[:, columns]
    points["sec"], points["nanosec"] = np.divmod(times_ns, NS_PER_S)
    return points.tobytes()


@functools.cache
def _point(joints: int, with_accelerations: bool) -> np.dtype[np.void]:
    """The layout of a point that begins on a multiple of 8. What is not filled stays an empty sequence."""
    fields: list[tuple[str, str] | tuple[str, str, tuple[int, ...]]] = []
    for name in ("p", "v", "a") if with_accelerations else ("p", "v"):
        fields += [(f"{name}_length", "<u4"), (f"{name}_gap", "<u4"), (name, "<f8", (joints,))]
    empty = ("effort",) if with_accelerations else ("acceleration", "effort")
    return np.dtype([*fields, *((f"{name}_length", "<u4") for name in empty), ("sec", "<i4"), ("nanosec", "<u4")])
