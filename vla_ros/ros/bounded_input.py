"""Inputs whose work is bounded, whatever others send: for a node that must read its stops in time.

A message is taken as bytes, and decoded only where it is not too long. A tick takes so many of them. After a message that
is too long the input rests for some ticks, since even such a one costs a copy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState

from vla_ros.msg import JointCommand, SafetyMonitorReport
from vla_ros.ros.discovery import publisher_names
from vla_ros.ros.polling import polled
from vla_ros.ros.senders import Received, SerializedTake

LONGEST: dict[type, int] = {JointState: 16_384, JointCommand: 16_384, SafetyMonitorReport: 32_768}
"""Bytes of a message that is decoded: two hundred joints with names of thirty letters, or the limits of as many."""
LONGEST_OTHER = 64
"""A number, a switch, an empty message."""
BYTES_PER_MARKER, BYTES_PER_LIST = 1024, 4096
"""An obstacle's marker takes 232 bytes and its names."""
MOST_PER_TICK = 250
"""So that a queue of 1000 is read within four ticks."""
BYTES_PER_TICK = 65_536
"""Of one input; what came with more is paid by ticks in which it is not read."""
LONGEST_REST_TICKS = 10


def longest_marker_array(obstacles: int) -> int:
    """Return how many bytes a list of so many obstacles may have."""
    return BYTES_PER_LIST + BYTES_PER_MARKER * obstacles


class BoundedInput:
    """A subscription that is polled once a tick.

    refused: messages that were too long, since the start. since_ns: when it was last found empty, on the monotonic clock.

    Args:
        node, kind, topic, qos: of the subscription.
        longest: bytes; 0: as LONGEST says.
        every_ticks: so often at most a message is taken. Only for a queue of one, in which the newest waits.
        decode: returns the message of its bytes; None: rclpy does.
    """

    def __init__(
        self,
        node: Node,
        kind: type,
        topic: str,
        qos: QoSProfile,
        longest: int = 0,
        every_ticks: int = 1,
        *,
        decode: Callable[[bytes], Any] | None = None,
    ) -> None:
        self._node = node
        self._decode = decode or (lambda data: deserialize_message(data, kind))
        self._subscription = polled(node, kind, topic, qos)
        self._next = SerializedTake(self._subscription)
        self._most = min(qos.depth + 1, MOST_PER_TICK)
        self._longest = longest or LONGEST.get(kind, LONGEST_OTHER)
        self._every_ticks = every_ticks
        self._rest_ticks = 0
        self._refused_gid, self._refused_size = "", 0
        self.refused = 0
        self.since_ns = time.monotonic_ns()

    def take(self) -> Iterable[tuple[Any, Received]]:
        """Return (message, how it came) for what this tick reads; None is a message that was too long."""
        if self._rest_ticks > 0:
            self._rest_ticks -= 1
            return ()
        began_ns = time.monotonic_ns()
        received = self._next(self._longest)
        if received is None:  # nearly always
            self.since_ns = began_ns
            return ()
        return self._taken(received, began_ns)

    def _taken(self, received: Received | None, began_ns: int) -> Iterator[tuple[Any, Received]]:
        count = taken = 0
        while received is not None:
            count, taken = count + 1, taken + received.size
            self._rest_ticks = max(self._every_ticks - 1, min(taken // BYTES_PER_TICK, LONGEST_REST_TICKS))
            if received.data is None:
                self.refused += 1
                self._refused_gid, self._refused_size = received.gid, received.size
                yield None, received
            else:
                yield self._decode(received.data), received
            if taken > BYTES_PER_TICK:
                return
            received = self._next(self._longest) if count < self._most else None
        if count < self._most:
            self.since_ns = began_ns

    def refusal(self) -> str:
        """Return who has sent a message that was too long since the last call, in one line; empty: nobody."""
        if not self._refused_size:
            return ""
        topic = self._subscription.topic_name
        named = (name for name in publisher_names(self._node, topic) if self._refused_gid in name)
        who = next(named, f"a publisher that has left ({self._refused_gid})")
        refusal = f"{topic}: {who} sends messages of {self._refused_size} bytes; at most {self._longest} are read"
        self._refused_gid, self._refused_size = "", 0
        return refusal
