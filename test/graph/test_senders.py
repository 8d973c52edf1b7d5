"""Which publisher has sent a message."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

pytest.importorskip("rclpy")

import rclpy
from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from test.graph.ros_node import ros_node
from vla_ros.ros.discovery import publisher_names
from vla_ros.ros.polling import polled
from vla_ros.ros.qos import EVENTS
from vla_ros.ros.senders import take_serialized

PATIENCE_S = 60.0


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_each_message_comes_with_its_publisher_and_its_place_in_the_order() -> None:
    with ros_node() as node:
        other = rclpy.create_node("other")
        subscription = polled(node, String, "said", EVENTS)
        mine, theirs = node.create_publisher(String, "said", EVENTS), other.create_publisher(String, "said", EVENTS)
        until(lambda: mine.get_subscription_count() > 0 and theirs.get_subscription_count() > 0)
        until(lambda: len(publisher_names(node, "said")) == 2)
        mine.publish(String(data="x" * 10_000))
        theirs.publish(String(data="second"))
        mine.publish(String(data=""))
        heard: list[tuple[str, str, int]] = []
        text = lambda data: deserialize_message(data, String).data  # noqa: E731

        def all_heard() -> bool:
            heard.extend((text(each.data), each.gid, each.order) for each in take_serialized(subscription, 10, 100_000))
            return len(heard) == 3

        until(all_heard)
        gids = {text: gid for text, gid, _ in heard}
        names = {name.partition(" (")[2].rstrip(")"): name.partition(" (")[0] for name in publisher_names(node, "said")}
        assert names[gids["second"]] == "/other" and names[gids[""]] == "/tested"
        assert gids["x" * 10_000] == gids[""] != gids["second"]
        orders = {text: order for text, _, order in heard}
        assert orders["x" * 10_000] < orders[""], "the order is that of the publisher"
        other.destroy_node()
