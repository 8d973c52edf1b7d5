"""JointState and JointCommand from their bytes, for a node that reads hundreds of them a second: a fifth of rclpy's time.

Names hardly ever change, so the bytes of the last ones are remembered and compared. The encoding is that of
`trajectory_reader`; whatever is not plain little-endian CDR, or does not end where it should, is left to rclpy.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState

from vla_ros.msg import JointCommand
from vla_ros.ros.stamps import nanoseconds
from vla_ros.ros.trajectory_reader import HEADER, LITTLE_ENDIAN, aligned, strings
from vla_ros.time import NS_PER_S

_STAMP_AND_LENGTH = struct.Struct("<iII")
_LENGTH = struct.Struct("<I")
_SEQ = struct.Struct("<Q")
_STAMP = struct.Struct("<iI")


class ReadJointState(NamedTuple):
    """stamp_ns: of the header. names: of the joints. positions, velocities, efforts: as the message has them, SI units."""

    stamp_ns: int
    names: list[str]
    positions: list[float]
    velocities: list[float]
    efforts: list[float]


class ReadJointCommand(NamedTuple):
    """stamp_ns: of the header. frame_stamp_ns: of the frame that it descends from; 0: none. The rest as in the message."""

    stamp_ns: int
    seq: int
    source: str
    names: list[str]
    positions: list[float]
    frame_stamp_ns: int


class JointStateBytes:
    """Reads the messages of one topic."""

    def __init__(self) -> None:
        self._names = _Names()

    def __call__(self, data: bytes) -> ReadJointState:
        """Return the message of its bytes, their header included."""
        try:
            stamp_ns, at = _header(data)
            names, at = self._names.read(data, at)
            positions, at = _doubles(data, at)
            velocities, at = _doubles(data, at)
            efforts, _ = _doubles(data, at)
        except (struct.error, ValueError):  # rclpy says what is wrong with it, if anything is
            whole = deserialize_message(data, JointState)
            rows = (values.tolist() for values in (whole.position, whole.velocity, whole.effort))
            return ReadJointState(nanoseconds(whole.header.stamp), list(whole.name), *rows)
        return ReadJointState(stamp_ns, names, positions, velocities, efforts)


class JointCommandBytes:
    """Reads the messages of one topic."""

    def __init__(self) -> None:
        self._names = _Names()

    def __call__(self, data: bytes) -> ReadJointCommand:
        """Return the message of its bytes, their header included."""
        try:
            stamp_ns, at = _header(data)
            at += (HEADER - at) % 8
            (seq,) = _SEQ.unpack_from(data, at)
            source, at = _string(data, at + 8)
            names, at = self._names.read(data, at)
            positions, at = _doubles(data, at)
            sec, nanosec = _STAMP.unpack_from(data, at)
        except (struct.error, ValueError):
            whole = deserialize_message(data, JointCommand)
            stamps = (nanoseconds(stamp) for stamp in (whole.header.stamp, whole.frame_stamp))
            stamp_ns, frame_ns = stamps
            names, positions = list(whole.joint_names), whole.positions.tolist()
            return ReadJointCommand(stamp_ns, whole.seq, whole.source, names, positions, frame_ns)
        return ReadJointCommand(stamp_ns, seq, source, names, positions, sec * NS_PER_S + nanosec)


class _Names:
    """A sequence of strings that hardly ever changes."""

    def __init__(self) -> None:
        self._block, self._begin, self._end = b"", -1, -1
        self._names: list[str] = []

    def read(self, data: bytes, at: int) -> tuple[list[str], int]:
        """Return the strings of the sequence at `at`, and where the next value of four bytes begins."""
        if at == self._begin and data[at : self._end] == self._block:
            return self._names, self._end
        names, end = strings(memoryview(data)[HEADER:], at - HEADER)
        if any("\0" in name for name in names):
            raise ValueError("a name has a zero in it")
        self._begin, self._end, self._names = at, end + HEADER, names
        self._block = data[at : self._end]
        return names, self._end


def _header(data: bytes) -> tuple[int, int]:
    """Return the stamp, ns, and where the next value of four bytes begins."""
    if data[:2] != LITTLE_ENDIAN:
        raise ValueError("it is not little-endian CDR")
    sec, nanosec, length = _STAMP_AND_LENGTH.unpack_from(data, HEADER)
    return sec * NS_PER_S + nanosec, aligned(HEADER + _STAMP_AND_LENGTH.size + length, 4)


def _string(data: bytes, at: int) -> tuple[str, int]:
    (length,) = _LENGTH.unpack_from(data, at)
    text = data[at + 4 : at + 4 + length].removesuffix(b"\0").decode()
    if "\0" in text:
        raise ValueError("a text has a zero in it")
    return text, aligned(at + 4 + length, 4)


def _doubles(data: bytes, at: int) -> tuple[list[float], int]:
    (count,) = _LENGTH.unpack_from(data, at)
    at += 4
    if not count:
        return [], at
    at += (HEADER - at) % 8
    if at + 8 * count > len(data):
        raise ValueError("it ends within its numbers")
    return list(struct.unpack_from(f"<{count}d", data, at)), at + 8 * count
