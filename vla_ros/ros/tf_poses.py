"""Poses from /tf and /tf_static, by tf2 where a ROS installation brings it."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.time import Time

from vla_ros.arrays import Array
from vla_ros.transforms import matrix

CACHE_S = 10.0


class TfPoses:
    """Listens to /tf once it is asked for a frame: who needs none does not pay for it.

    Args:
        node: whose executor runs the callbacks.
        base_frame: in which poses are told.
    """

    def __init__(self, node: Node, base_frame: str) -> None:
        self._node, self._base_frame = node, base_frame
        self._buffer: Any = None
        self._listener: Any = None

    @staticmethod
    def available() -> bool:
        """Whether tf2 is installed."""
        try:
            import tf2_ros  # noqa: F401
        except ImportError:
            return False
        return True

    def pose(self, frame: str, stamp_ns: int) -> Array | None:
        """Return T_base_frame (4, 4), m, at a moment in ROS time, ns; None: /tf does not have it, or not yet."""
        import tf2_ros

        if self._buffer is None:
            from rclpy.duration import Duration

            self._buffer = tf2_ros.Buffer(cache_time=Duration(seconds=CACHE_S))
            self._listener = tf2_ros.TransformListener(self._buffer, self._node, spin_thread=False)
        try:
            found = self._buffer.lookup_transform(self._base_frame, frame, Time(nanoseconds=stamp_ns)).transform
        except tf2_ros.TransformException:
            return None
        at, turn = found.translation, found.rotation
        return matrix([at.x, at.y, at.z], [turn.x, turn.y, turn.z, turn.w])
