"""The e-stop buttons on vla/estop: every one is heard, and each press belongs to the publisher that sent it."""

from __future__ import annotations

from collections.abc import Iterator

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Bool

from vla_ros.ros.bounded_input import BoundedInput

TOPIC = "vla/estop"
KEPT = QoSProfile(depth=1000)
"""For what must not be lost behind messages that follow it while the filter stalls: a button may repeat itself at 100 Hz."""
BEST_EFFORT = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
REMEMBERED = 256
"""Publishers whose newest message is remembered."""


class EStopButtons:
    """Two subscriptions, because DDS does not match a best-effort publisher with a reliable subscription.

    A reliable button comes through both. Its messages are taken in the order in which it sent them: one that comes late
    cannot undo what came after it. A message that cannot be read, because it is too long, counts as a press.

    inputs: the subscriptions.
    """

    def __init__(self, node: Node) -> None:
        self.inputs = [BoundedInput(node, Bool, TOPIC, qos) for qos in (KEPT, BEST_EFFORT)]
        self._newest: dict[str, tuple[int, bool]] = {}

    def take(self) -> Iterator[tuple[bool, str]]:
        """Yield (pressed, publisher) for all that has arrived; a press that comes late is followed by what is true since."""
        for each in self.inputs:
            for message, received in each.take():
                pressed = message is None or bool(message.data)
                yield from self._in_order(received.gid, received.order, pressed)

    def _in_order(self, gid: str, order: int, pressed: bool) -> Iterator[tuple[bool, str]]:
        newest_order, newest = self._newest.pop(gid, (-1, False))
        if order > newest_order:
            self._newest[gid] = (order, pressed)
            yield pressed, gid
        else:
            self._newest[gid] = (newest_order, newest)
            if order < newest_order and pressed and not newest:  # best effort has lost it before
                yield True, gid
                yield False, gid
        while len(self._newest) > REMEMBERED:
            del self._newest[next(iter(self._newest))]
