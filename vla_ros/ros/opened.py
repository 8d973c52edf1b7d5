"""What each node of the running graph has opened: topics it publishes and reads, services it offers and calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rclpy.node import Node


@dataclass(frozen=True)
class Opened:
    """Names with their namespace, e.g. "/left/vla/estop". publish, subscribe: topics. reply, request: services."""

    publish: set[str] = field(default_factory=set)
    subscribe: set[str] = field(default_factory=set)
    reply: set[str] = field(default_factory=set)
    request: set[str] = field(default_factory=set)


def opened_by(node: Node, name: str, namespace: str = "/") -> Opened:
    """Return what discovery has told `node` of the node `name`; nothing while that is not known."""

    def names(read: Callable[[str, str], Sequence[tuple[str, Sequence[str]]]]) -> set[str]:
        try:
            return {topic for topic, _ in read(name, namespace)}
        except Exception:  # rclpy has a class of its own for a node that is not known
            return set()

    return Opened(
        names(node.get_publisher_names_and_types_by_node),
        names(node.get_subscriber_names_and_types_by_node),
        names(node.get_service_names_and_types_by_node),
        names(node.get_client_names_and_types_by_node),
    )
