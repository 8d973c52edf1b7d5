"""JointTrajectory, and what its controller tells, from their bytes: a fifth of the time that rclpy takes.

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


@dataclass(frozen=True)
class ReadControllerState:
    """names: of the joints. reference, error: positions, (joints,). speed_scaling: share of the speed; 0: not told."""

    names: list[str]
    reference: Array
    error: Array
    speed_scaling: float


def read_controller_state(data: bytes) -> ReadControllerState:
    """Read a JointTrajectoryControllerState of joints with one degree of freedom each.

    Raises:
        ValueError: these are not its bytes, or it has other joints too.
    """
    if data[:2] != LITTLE_ENDIAN:
        raise ValueError("it is not little-endian CDR")
    view = memoryview(data)[HEADER:]
    try:
        (length,) = struct.unpack_from("<I", view, 8)
        names, at = strings(view, aligned(12 + length, 4))
        (reference, _), at = _point(view, at)
        _, at = _point(view, at)
        (behind, _), at = _point(view, at)
        _, at = _point(view, at)
        others = struct.unpack_from("<I", view, at)[0]
        for _ in range(4):  # points of joints with several degrees of freedom: three sequences and a duration
            others += sum(struct.unpack_from("<3I", view, at + 4))
            at += 20
        if others:
            raise ValueError("it has joints with several degrees of freedom")
        (speed_scaling,) = struct.unpack_from("<d", view, aligned(at + 4, 8))
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"it ends before its end: {error}") from None
    return ReadControllerState(names, reference[0], behind[0], speed_scaling)


def _read(data: memoryview, longest: int) -> ReadTrajectory:
    sec, nanosec, length = struct.unpack_from("<iII", data, 0)
    names, at = strings(data, aligned(12 + length, 4))
    (points,) = struct.unpack_from("<I", data, at)
    at += 4
    if points > longest:
        raise ValueError(f"it has {points} points; {longest} are read")
    times_ns, rows = [], []
    for _ in range(points):
        (row, time_ns), at = _point(data, at)
        times_ns.append(time_ns)
        rows.append(row)
    return ReadTrajectory(sec * NS_PER_S + nanosec, names, times_ns, [row[0] for row in rows], [row[1] for row in rows])


def aligned(at: int, size: int) -> int:
    """Return the next multiple of `size` from `at` on."""
    return at + -at % size


def strings(data: memoryview, at: int) -> tuple[list[str], int]:
    """Return a sequence of strings, and where the next number of four bytes begins."""
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    if count > len(data):
        raise ValueError(f"it says that it has {count} joints")
    names = []
    for _ in range(count):
        (length,) = struct.unpack_from("<I", data, at)
        names.append(bytes(data[at + 4 : at + 4 + length]).rstrip(b"\0").decode())
        at = aligned(at + 4 + length, 4)
    return names, at


def _point(data: memoryview, at: int) -> tuple[tuple[list[Array], int], int]:
    """Return (rows, time in ns) of a point, and where it ends. Rows: positions to efforts, (joints,) or (0,)."""
    rows: list[Array] = []
    for _ in range(4):
        (width,) = struct.unpack_from("<I", data, at)
        at += 4
        if not width:
            rows.append(_NONE)
            continue
        at += -at % 8
        if at + 8 * width > len(data):
            raise ValueError("it ends within a point")
        rows.append(np.frombuffer(data, "<f8", width, at))
        at += 8 * width
    sec, nanosec = struct.unpack_from("<iI", data, at)
    return (rows, sec * NS_PER_S + nanosec), at + 8


_NONE: Array = np.empty(0)
