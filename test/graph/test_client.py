"""A sentence is said when those who act on it hear it, and whoever waits for it learns that nobody has taken it up."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import rclpy
from rclpy.node import Node
from std_msgs.msg import String

from vla_ros.bringup.process import private_domain
from vla_ros.msg import LatentPlan
from vla_ros.ros import client as client_module
from vla_ros.ros.client import Client, Unreachable, connect
from vla_ros.ros.instruction_relay import HEARD, RELAYED
from vla_ros.ros.polling import take
from vla_ros.ros.qos import LATCHED, NEWEST


@pytest.fixture
def talk() -> Iterator[Client]:
    os.environ.update(private_domain())
    with connect("left") as made:
        yield made


def listener(name: str, namespace: str = "left", topic: str = HEARD) -> Node:
    node = rclpy.create_node(name, namespace=namespace)
    node.words = node.create_subscription(String, f"/left/{topic}", lambda message: None, NEWEST)
    return node


def test_others_who_listen_do_not_stand_for_the_planner(talk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [listener("action_expert"), listener("vla_ros_tracer_1"), listener("planner", "right")]
    deaf = rclpy.create_node("recorder", namespace="left")
    deaf.create_subscription(String, "task_instruction", lambda message: None, LATCHED)
    assert talk.spin(60.0, lambda: talk.instructions.get_subscription_count() == len(nodes))
    monkeypatch.setattr(client_module, "CONNECTION_TIMEOUT_S", 0.5)
    with pytest.raises(Unreachable, match="do not listen on /left/task_instruction"):
        talk.publish("go")
    monkeypatch.setattr(client_module, "CONNECTION_TIMEOUT_S", 60.0)
    planner = listener("planner", topic=RELAYED)
    talk.publish("go on")
    for node in nodes:
        heard: list[str] = []
        assert talk.spin(
            60.0, lambda node=node, heard=heard: bool(heard.extend(m.data for m, _ in take(node.words)) or heard)
        )
        assert heard == ["go on"], node.get_name()
    for node in [*nodes, planner, deaf]:
        node.destroy_node()


def test_plans_for_the_sentence_before_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "INSTRUCTION_TIMEOUT_S", 0.0)
    who = SimpleNamespace(
        publish=lambda text: 9, status=None, plan=LatentPlan(instruction_id=7, state=LatentPlan.ACTIVE)
    )
    who.spin = lambda seconds: setattr(who, "plan_s", time.monotonic())
    said, why = Client.follow(who, "go", 1.0)  # type: ignore[arg-type]
    assert said == "silent"
    assert "the planner has not taken it up" in why
