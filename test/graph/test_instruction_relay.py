"""Whoever publishes an instruction and leaves at once is heard by planner and action expert alike."""

from __future__ import annotations

import rclpy
from rclpy.context import Context
from std_msgs.msg import String

from test.graph.ros_node import ros_node
from test.graph.test_discovery import wait
from vla_ros.ros.instruction_relay import (
    HEARD,
    LONGEST_INSTRUCTION,
    RELAYED,
    WAIT_S,
    InstructionRelay,
    instruction_nodes_matched,
)
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import NEWEST
from vla_ros.time import NS_PER_S


def hears(relay: InstructionRelay, now_ns: int) -> bool:
    heard: list[bool] = []
    return wait(lambda: any(heard) or heard.append(relay.heard(now_ns)) or any(heard))


def test_what_is_said_waits_for_the_planner_and_is_not_begun_long_after() -> None:
    with ros_node("action_expert") as node:
        relay = InstructionRelay(node)
        context = Context()  # `ros2 topic pub --once` is a process of its own
        rclpy.init(context=context)
        person = rclpy.create_node("person", context=context)
        words = person.create_publisher(String, HEARD, NEWEST)
        assert wait(lambda: words.get_subscription_count() == 1), "one subscriber, which `--once` waits for"

        def say(text: str, now_ns: int) -> None:
            words.publish(String(data=text))
            assert hears(relay, now_ns)

        say("too early", 0)
        assert not relay.heard(round(WAIT_S * NS_PER_S)) and not relay.undelivered
        assert not relay.heard(round(WAIT_S * NS_PER_S) + 1)
        assert relay.undelivered
        say("run", 0)
        assert not relay.undelivered and list(relay.relayed()) == []
        planner = rclpy.create_node("planner", context=context)
        read = polled(planner, String, RELAYED, NEWEST)
        heard: list[tuple[str, int]] = []

        def relayed() -> bool:
            relay.heard(1)
            heard.extend((message.data, info["source_timestamp"]) for message, info in take(read))
            return bool(heard)

        assert wait(relayed)
        ids: list[int] = []
        assert wait(lambda: bool(ids.extend(relay.relayed()) or ids))
        assert heard == [("run", ids[0])], "both know it by the same id"
        assert relay.said_by().startswith("/person (")
        person.destroy_node()
        assert relay.said_by().startswith("/person (")
        planner.destroy_node()
        rclpy.shutdown(context=context)


def test_an_instruction_of_a_megabyte_holds() -> None:
    with ros_node("action_expert") as node:
        relay, planner = InstructionRelay(node), rclpy.create_node("planner")
        words, read = node.create_publisher(String, HEARD, NEWEST), polled(planner, String, RELAYED, NEWEST)
        assert wait(lambda: instruction_nodes_matched(node, words))
        words.publish(String(data="x" * LONGEST_INSTRUCTION))
        assert hears(relay, 0)
        heard: list[str] = []
        assert wait(lambda: bool(relay.heard(0) or heard.extend(message.data for message, _ in take(read)) or heard))
        assert heard == [""]
        planner.destroy_node()
