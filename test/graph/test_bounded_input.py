"""Whatever others send: what is too long is not decoded, a tick reads so much at most, and who sent it is named."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy")

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from visualization_msgs.msg import Marker, MarkerArray

from test.graph.ros_node import ros_node
from vla_ros.ros import bounded_input
from vla_ros.ros.bounded_input import LONGEST, LONGEST_REST_TICKS, MOST_PER_TICK, BoundedInput, longest_marker_array
from vla_ros.ros.estop_buttons import EStopButtons
from vla_ros.ros.qos import EVENTS, NEWEST, SENSOR

PATIENCE_S = 60.0


@pytest.fixture
def node() -> Iterator[Node]:
    with ros_node() as made:
        yield made


def until(true: Callable[[], object]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def connected(node: Node, kind: type, qos: QoSProfile, longest: int = 0, every_ticks: int = 1) -> tuple[Any, Any]:
    tested = BoundedInput(node, kind, "tested", qos, longest, every_ticks)
    publisher = node.create_publisher(kind, "tested", qos)
    until(lambda: publisher.get_subscription_count() > 0)
    return tested, publisher


def state(names: int) -> JointState:
    return JointState(name=[f"foreign{i}" for i in range(names)], position=[0.0] * names)


def test_a_message_that_is_too_long_is_not_decoded_and_its_publisher_is_named(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    decode = bounded_input.deserialize_message
    monkeypatch.setattr(
        bounded_input, "deserialize_message", lambda data, kind: decoded.append(len(data)) or decode(data, kind)
    )
    tested, publisher = connected(node, JointState, EVENTS)
    publisher.publish(state(200_000))
    publisher.publish(state(7))
    heard: list[Any] = []
    until(lambda: heard.extend(tested.take()) or len(heard) == 2)
    (nothing, how), (message, _) = heard
    assert nothing is None and how.data is None and how.size > 4_000_000
    assert len(message.name) == 7 and max(decoded) < 1000
    assert tested.refused == 1
    assert tested.refusal() == (
        f"/tested: /tested ({how.gid}) sends messages of {how.size} bytes; at most {LONGEST[JointState]} are read"
    )
    assert tested.refusal() == "", "told once"


def test_after_a_long_message_the_input_rests_and_is_read_again(node: Node) -> None:
    tested, publisher = connected(node, JointState, EVENTS)
    publisher.publish(state(200_000))
    until(lambda: list(tested.take()))
    publisher.publish(state(1))
    time.sleep(0.5)
    assert [list(tested.take()) for _ in range(LONGEST_REST_TICKS)] == [[]] * LONGEST_REST_TICKS
    until(lambda: list(tested.take()))


def test_a_tick_reads_so_many_messages_at_most_and_the_rest_in_the_next_ticks(node: Node) -> None:
    kept = QoSProfile(depth=1000)
    tested, publisher = connected(node, Bool, kept)
    for _ in range(1000):
        publisher.publish(Bool(data=True))
    time.sleep(1.0)
    ticks = [len(list(tested.take())) for _ in range(5)]
    assert ticks[0] == MOST_PER_TICK and sum(ticks) == 1000


def test_what_waited_while_the_input_rested_is_as_old_as_it_is(node: Node) -> None:
    tested, publisher = connected(node, MarkerArray, NEWEST, every_ticks=3)
    publisher.publish(MarkerArray())
    until(lambda: list(tested.take()))
    before_ns = tested.since_ns
    publisher.publish(MarkerArray())
    assert list(tested.take()) == list(tested.take()) == [], "it rests for two ticks"
    assert tested.since_ns == before_ns, "it was not looked at, so it is not known to have been empty"
    until(lambda: list(tested.take()))
    assert tested.since_ns > before_ns


def test_what_the_configuration_allows_can_be_read() -> None:
    names = [f"right_arm_{i:03d}_shoulder_pan_joint" for i in range(200)]
    joints = JointState(name=names, position=[1.0] * 200, velocity=[1.0] * 200, effort=[1.0] * 200)
    assert len(serialize_message(joints)) <= LONGEST[JointState]
    marker = Marker(ns="perception/person_tracker/left_hand", text="a label")
    marker.header.frame_id = "robot_base_link"
    assert len(serialize_message(MarkerArray(markers=[marker] * 16))) <= longest_marker_array(16)


def test_a_button_whose_message_cannot_be_read_is_pressed(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_input, "LONGEST_OTHER", 1)
    buttons = EStopButtons(node)
    publisher = node.create_publisher(Bool, "vla/estop", SENSOR)
    until(lambda: publisher.get_subscription_count() > 0)
    heard: list[tuple[bool, str]] = []

    def press() -> bool:
        publisher.publish(Bool(data=False))
        heard.extend(buttons.take())
        return bool(heard)

    until(press)
    assert heard[0][0] is True
