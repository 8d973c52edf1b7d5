"""The one subscriber of `task_instruction`, which relays what is said to all who act on it.

`ros2 topic pub --once` waits for one subscriber, publishes and leaves. Of two it would reach the one that is matched first.
The relay stays, so that whoever is matched late receives all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from vla_ros.ros.discovery import nodes_matched, publisher_names
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import NEWEST
from vla_ros.ros.senders import Received, take_serialized
from vla_ros.time import NS_PER_S

HEARD, RELAYED = "task_instruction", "vla/instruction"
"""Topics: what people say; the same, for planner and action expert."""
EXPERT, PLANNER = ("action_expert",), ("planner",)
"""Nodes that hear the one and the other."""
LONGEST_INSTRUCTION = 65_536
"""Bytes. A longer one is replaced by the empty instruction, which holds."""
WAIT_S = 10.0
"""So long an instruction waits for a planner that is not there; a later one must not begin what was said long ago."""


def instruction_nodes_matched(node: Node, publisher: Publisher) -> bool:
    """Whether an instruction that is published now reaches the action expert, and there is a planner that it is relayed to.

    Args:
        node: owner of the publisher; the nodes are looked for in its namespace.
        publisher: on the topic HEARD.
    """
    readers = node.get_subscriptions_info_by_topic(node.resolve_topic_name(RELAYED))
    present = {info.node_name for info in readers if info.node_namespace == node.get_namespace()}
    return present.issuperset(PLANNER) and nodes_matched(node, publisher, EXPERT)


class InstructionRelay:
    """Lives in the action expert, whose loop nothing blocks: call `heard`, then `relayed`, in every tick.

    Attributes:
        undelivered: no planner has come in time for the newest instruction.

    Args:
        node: owner of publisher and subscriptions.
    """

    def __init__(self, node: Node) -> None:
        self.undelivered = False
        self._node = node
        self._heard = polled(node, String, HEARD, NEWEST)
        self._relayed = polled(node, String, RELAYED, NEWEST)
        self._publisher = node.create_publisher(String, RELAYED, NEWEST)
        self._waiting: String | None = None
        self._heard_ns = 0
        self._sender = self._said_by = ""

    def heard(self, now_ns: int) -> bool:
        """Relay what has been said; return whether something has. now_ns: monotonic."""
        new = False
        for received in take_serialized(self._heard, NEWEST.depth, LONGEST_INSTRUCTION):
            self._waiting, self._heard_ns, new = self._read(received), now_ns, True
            self._sender, self._said_by, self.undelivered = received.gid, "", False
        if self._waiting is not None:
            self._relay(now_ns)
        return new

    def relayed(self) -> Iterator[int]:
        """Yield the id of each instruction that was relayed: DDS source timestamp, ns, as the planner has it."""
        for _, info in take(self._relayed):
            yield info["source_timestamp"]

    def said_by(self) -> str:
        """Return who has published the newest instruction: node and GID; empty: nobody yet."""
        if self._sender and not self._said_by:
            names = publisher_names(self._node, HEARD)
            left = f"a publisher that has left ({self._sender})"
            self._said_by = next((name for name in names if self._sender in name), left)
        return self._said_by

    def _read(self, received: Received) -> String:
        if received.data is not None:
            message: String = deserialize_message(received.data, String)
            return message
        self._node.get_logger().error(
            f"{HEARD}: an instruction of {received.size} bytes is longer than {LONGEST_INSTRUCTION}: the arm holds"
        )
        return String()

    def _relay(self, now_ns: int) -> None:
        if nodes_matched(self._node, self._publisher, PLANNER):
            self._publisher.publish(self._waiting)
            self._waiting = None
        elif now_ns - self._heard_ns > WAIT_S * NS_PER_S:
            self._waiting, self.undelivered = None, True
