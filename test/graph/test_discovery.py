"""A publisher that cannot be heard is named with what is wrong with it; who must hear a publisher is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

import rclpy
from rclpy.context import Context
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from test.graph.ros_node import ros_node
from vla_ros.ros.discovery import MOST_NAMED, nodes_matched, publisher_names, unmatched_publishers, unpublished, unread
from vla_ros.ros.qos import EVENTS, LATCHED, NEWEST, SENSOR

TOPICS = {"joint_states": "sensor_msgs/msg/JointState", "orders": "std_msgs/msg/String"}


def wait(until: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + 60.0
    while not until() and time.monotonic() < end_s:
        time.sleep(0.05)
    return until()


def test_the_wrong_type_and_the_wrong_qos_are_named() -> None:
    with ros_node() as node:
        node.create_subscription(JointState, "joint_states", lambda message: None, SENSOR)
        node.create_subscription(String, "orders", lambda message: None, EVENTS)
        context = Context()  # a participant of its own: within one, DDS refuses a second type itself
        rclpy.init(context=context)
        other = rclpy.create_node("other", namespace="left", context=context)
        other.create_publisher(String, "/joint_states", SENSOR)
        other.create_publisher(String, "/orders", SENSOR)
        expected = [
            "/joint_states: /left/other publishes std_msgs/msg/String, expected sensor_msgs/msg/JointState",
            "/orders: /left/other is not heard: it publishes best-effort or volatile, and must not",
        ]
        assert wait(lambda: unmatched_publishers(node, TOPICS) == expected), unmatched_publishers(node, TOPICS)
        other.destroy_node()
        rclpy.shutdown(context=context)


def test_who_can_be_heard_is_not_named() -> None:
    with ros_node() as node:
        node.create_subscription(String, "orders", lambda message: None, EVENTS)
        publisher = node.create_publisher(String, "orders", LATCHED)
        assert wait(lambda: publisher.get_subscription_count() == 1)
        assert unmatched_publishers(node, TOPICS) == []


def test_a_publisher_is_ready_when_those_who_must_hear_it_are_matched() -> None:
    with ros_node() as node:
        publisher = node.create_publisher(String, "orders", NEWEST)
        planner, expert = (rclpy.create_node(name) for name in ("planner", "action_expert"))
        planner.create_subscription(String, "orders", lambda message: None, NEWEST)
        assert wait(lambda: publisher.get_subscription_count() == 1)
        assert not nodes_matched(node, publisher, ("action_expert",))
        expert.create_subscription(String, "orders", lambda message: None, NEWEST)
        assert wait(lambda: nodes_matched(node, publisher, ("planner", "action_expert")))
        for other in (planner, expert):
            other.destroy_node()


class Crowded:
    """A node that sees more publishers than it has the time to look at."""

    subscriptions = ()

    def count_publishers(self, topic: str) -> int:
        return MOST_NAMED + 1

    def resolve_topic_name(self, topic: str) -> str:
        return f"/{topic}"

    def get_publishers_info_by_topic(self, topic: str) -> list[object]:
        raise AssertionError("each is looked up")


def test_of_too_many_publishers_only_the_number_is_told() -> None:
    names = publisher_names(Crowded(), "vla/estop")  # type: ignore[arg-type]
    assert len(set(names)) == MOST_NAMED + 1, "as many as there are: one input has one publisher"
    (line,) = unmatched_publishers(Crowded(), {"vla/estop": "std_msgs/msg/Bool"})  # type: ignore[arg-type]
    assert line == f"/vla/estop: {MOST_NAMED + 1} publishers, more than can be looked at"


def test_a_name_that_nobody_else_uses_is_told_with_those_that_others_use() -> None:
    kind = "std_msgs/msg/String"
    with ros_node() as node:
        orders = node.create_publisher(String, "odrers", 1)
        assert unread(node, orders).startswith(f"nobody listens on /odrers, nor is {kind} read anywhere")
        node.create_subscription(String, "orders", lambda message: None, 1)
        read = f"nobody listens on /odrers; {kind} is read on /orders: compare names, namespaces and remappings"
        assert wait(lambda: unread(node, orders) == read), unread(node, orders)
        published = f"nobody publishes on /orders; {kind} is published on /odrers: compare names"
        assert wait(lambda: unpublished(node, "orders", kind).startswith(published))
        assert unpublished(node, "odrers", kind) == ""
        node.create_subscription(String, "odrers", lambda message: None, 1)
        assert wait(lambda: unread(node, orders) == "")
