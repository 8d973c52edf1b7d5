"""E-stop buttons: each is heard, whatever its QoS, and its messages count in the order in which it sent them."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("rclpy")

from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Bool

from test.graph.ros_node import ros_node
from vla_ros.ros.estop_buttons import REMEMBERED, EStopButtons


@pytest.mark.parametrize("reliability", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_a_button_is_heard_once_whatever_its_reliability(reliability: ReliabilityPolicy) -> None:
    with ros_node() as node:
        buttons = EStopButtons(node)
        publisher = node.create_publisher(Bool, "vla/estop", QoSProfile(depth=10, reliability=reliability))
        heard: list[tuple[bool, str]] = []
        end_s = time.monotonic() + 60.0
        while not heard:  # best effort is lost before the match
            assert time.monotonic() < end_s
            publisher.publish(Bool(data=True))
            time.sleep(0.05)
            heard = list(buttons.take())
        assert {pressed for pressed, _ in heard} == {True} and len({gid for _, gid in heard}) == 1


def test_a_late_message_does_not_undo_a_newer_one() -> None:
    with ros_node() as node:
        buttons = EStopButtons(node)
        said = lambda *message: list(buttons._in_order(*message))  # noqa: E731
        assert said("a", 1, True) == [(True, "a")]
        assert said("a", 1, True) == [], "the same one through the other subscription"
        assert said("a", 3, False) == [(False, "a")]
        assert said("a", 2, True) == [(True, "a"), (False, "a")], "a press that best effort has lost still latches"
        assert said("a", 2, False) == []
        assert said("b", 1, False) == [(False, "b")], "each button has an order of its own"
        for i in range(2 * REMEMBERED):
            said(str(i), 1, False)
        assert len(buttons._newest) == REMEMBERED
