"""Who is matched with whom on the graph: publishers that a node cannot hear, nodes that must hear one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import cast

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

from vla_ros.ros.qos import qos_compatible

FAST_DDS = (0x01, 0x0F)
"""Vendor of a GUID."""
MOST_NAMED, MOST_TOPICS = 64, 3


def unmatched_publishers(node: Node, topics: Mapping[str, str]) -> list[str]:
    """Return one line for each publisher that a node cannot hear.

    Args:
        node: the one that subscribes.
        topics: topic name → expected type, e.g. "sensor_msgs/msg/Image".

    Returns:
        lines that name topic and publisher: of another type than expected, or of a QoS that DDS does not match with the
        node's own subscription.
    """
    lines = []
    subscribed: dict[str, list[QoSProfile]] = {}
    for subscription in node.subscriptions:
        subscribed.setdefault(subscription.topic_name, []).append(subscription.qos_profile)
    for topic, expected in topics.items():
        resolved = node.resolve_topic_name(topic)
        if (count := node.count_publishers(resolved)) > MOST_NAMED:
            lines.append(f"{resolved}: {count} publishers, more than can be looked at")
            continue
        for info in node.get_publishers_info_by_topic(resolved):
            publisher = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            if info.topic_type and info.topic_type != expected:
                lines.append(f"{resolved}: {publisher} publishes {info.topic_type}, expected {expected}")
            elif resolved in subscribed and not any(
                qos_compatible(info.qos_profile, requested) for requested in subscribed[resolved]
            ):
                lines.append(
                    f"{resolved}: {publisher} is not heard: it publishes best-effort or volatile, and must not"
                )
    return lines


def publisher_names(node: Node, topic: str) -> list[str]:
    """Return who publishes on a topic, sorted: node and GUID of each publisher.

    Of more than MOST_NAMED only the number is told, as so many lines: to look each up takes time, which a node that controls
    an arm does not have.
    """
    if (count := node.count_publishers(topic)) > MOST_NAMED:
        return [f"publisher {i} of {count}" for i in range(count)]
    found = node.get_publishers_info_by_topic(topic)
    return sorted(f"{e.node_namespace.rstrip('/')}/{e.node_name} ({bytes(e.endpoint_gid).hex()})" for e in found)


def hosts_of_publishers(node: Node, topic: str, own: Publisher) -> list[str]:
    """Return who publishes on a topic, each with its GUID and whether it runs on this machine, as far as DDS can tell.

    Args:
        node: the one that asks. own: any publisher of it.
    """
    mine = {
        bytes(info.endpoint_gid[:4])
        for info in node.get_publishers_info_by_topic(own.topic_name)
        if info.node_name == node.get_name() and info.node_namespace == node.get_namespace()
    }
    return [
        f"{name}, {'this machine' if bytes.fromhex(name[-33:-25]) in mine else 'another machine'}"
        for name in publisher_names(node, node.resolve_topic_name(topic))
    ]


def several_publishers(node: Node, topic: str) -> str:
    """Return a line that names all who publish on a topic that has one owner; empty: there is at most one.

    It sees what discovery has told this node: a publisher that a discovery server keeps from it, it does not see.
    """
    resolved = node.resolve_topic_name(topic)
    names = publisher_names(node, resolved)
    return f"{len(names)} publishers for {resolved}: {', '.join(names)}; stop all but one" if len(names) > 1 else ""


def nodes_matched(node: Node, publisher: Publisher, names: Collection[str]) -> bool:
    """Whether DDS has matched a publisher with all that can hear it, certain nodes among them.

    Args:
        node: owner of the publisher; the nodes are looked for in its namespace.
        publisher: of that node. names: of nodes that must be among them.

    Returns:
        True when all of `names` subscribe and every compatible subscription is matched.
    """
    found = node.get_subscriptions_info_by_topic(publisher.topic_name)
    compatible = [info for info in found if qos_compatible(publisher.qos_profile, info.qos_profile)]
    present = {info.node_name for info in compatible if info.node_namespace == node.get_namespace()}
    return present.issuperset(names) and publisher.get_subscription_count() >= len(compatible)


def readers_on_this_host(node: Node, publisher: Publisher) -> bool:
    """Whether all who subscribe to a publisher run on its host, as far as DDS can tell.

    The first four bytes of a GUID of Fast DDS are the vendor's and the host's. Of another middleware nothing is known, and
    the answer is False.

    Args:
        node: owner of the publisher.
        publisher: the one that is read.

    Source: Fast DDS, `GuidPrefix_t` ("vendorId", "hostId").
    """
    mine = {
        tuple(info.endpoint_gid[:4])
        for info in node.get_publishers_info_by_topic(publisher.topic_name)
        if info.node_name == node.get_name() and info.node_namespace == node.get_namespace()
    }
    theirs = {tuple(info.endpoint_gid[:4]) for info in node.get_subscriptions_info_by_topic(publisher.topic_name)}
    return len(mine) == 1 and next(iter(mine))[:2] == FAST_DDS and theirs <= mine


def unpublished(node: Node, topic: str, kind: str) -> str:
    """Return a line about a topic that nobody publishes, and where its type is published instead; empty: somebody does.

    Args:
        topic: as the node names it, remapped or not. kind: its type, e.g. "sensor_msgs/msg/JointState".
    """
    resolved = node.resolve_topic_name(topic)
    if node.count_publishers(resolved):
        return ""
    return f"nobody publishes on {resolved}{_elsewhere(node, resolved, kind, 'published', node.count_publishers)}"


def unread(node: Node, publisher: Publisher) -> str:
    """Return a line about a publisher that nobody reads, and where its type is read instead; empty: somebody does."""
    if publisher.get_subscription_count():
        return ""
    resolved, message = publisher.topic_name, cast(type, publisher.msg_type)
    kind = f"{message.__module__.split('.')[0]}/msg/{message.__name__}"
    return f"nobody listens on {resolved}{_elsewhere(node, resolved, kind, 'read', node.count_subscribers)}"


def _elsewhere(node: Node, resolved: str, kind: str, done: str, count: Callable[[str], int]) -> str:
    found = [topic for topic, kinds in node.get_topic_names_and_types() if kind in kinds and topic != resolved]
    others = [topic for topic in found if count(topic)][:MOST_TOPICS]
    if not others:
        return f", nor is {kind} {done} anywhere: is the robot's driver running, in this ROS_DOMAIN_ID?"
    return f"; {kind} is {done} on {', '.join(others)}: compare names, namespaces and remappings"
