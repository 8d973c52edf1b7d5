"""The rig's node over real DDS: what it publishes arrives, and it returns what has arrived."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from vla_ros.bringup.process import private_domain
from vla_ros.lab.faults.rig_messages import RigJointState, RigSetpoint
from vla_ros.msg import JointCommand, SafetyStatus
from vla_ros.ros import rig_node
from vla_ros.ros.qos import EVENTS, NEWEST, SENSOR
from vla_ros.ros.rig_node import ReceivedStatus, RigNode
from vla_ros.safety.geometry.obstacle import Obstacle

SETPOINT = RigSetpoint(1, 10, ("joint1",), (0.1,))
TIMEOUT_S = 20.0


class Other:
    """Another node in the same process: it hears the rig and answers it."""

    def __init__(self) -> None:
        self.node = rclpy.create_node("safety_filter")
        self.heard: dict[str, list[Any]] = {}
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)

    def hear(self, kind: type, topic: str, qos: Any) -> None:
        self.node.create_subscription(kind, topic, lambda m: self.heard.setdefault(topic, []).append(m), qos)

    def until(self, condition: Callable[[], object]) -> bool:
        end_s = time.monotonic() + TIMEOUT_S
        while not condition():
            self.executor.spin_once(timeout_sec=0.01)
            if time.monotonic() > end_s:
                return False
        return True


@pytest.fixture
def pair() -> Iterator[tuple[RigNode, Other]]:
    os.environ.update(private_domain())
    with rig_node.opened() as rig:
        other = Other()
        yield rig, other
        other.executor.shutdown()
        other.node.destroy_node()


def test_what_the_rig_sends_arrives(pair: tuple[RigNode, Other]) -> None:
    rig, other = pair
    other.hear(JointCommand, "vla/joint_command", EVENTS)
    other.hear(JointState, "joint_states", SENSOR)
    other.hear(Bool, "vla/estop", EVENTS)
    other.hear(MarkerArray, "vla/obstacles", NEWEST)

    def sent_and_heard() -> bool:
        rig.publish_setpoint(SETPOINT)
        rig.publish_joint_state(RigJointState(("joint1",), (0.2,), (0.0,)))
        rig.publish_estop(True)
        rig.publish_obstacles([Obstacle("ball", "base", "sphere", (0.1,), (1.0, 0.0, 0.0))])
        return len(other.heard) == 4

    assert other.until(sent_and_heard), other.heard.keys()
    assert list(other.heard["vla/joint_command"][-1].positions) == [0.1]
    assert list(other.heard["joint_states"][-1].position) == [0.2]
    assert other.heard["vla/estop"][-1].data
    assert other.heard["vla/obstacles"][-1].markers[0].ns == "ball"


def test_the_rig_takes_the_newest_status_and_joint_state(pair: tuple[RigNode, Other]) -> None:
    rig, other = pair
    statuses = other.node.create_publisher(SafetyStatus, "vla/safety_status", EVENTS)
    states = other.node.create_publisher(JointState, "arm/joint_states", SENSOR)
    taken: list[Any] = []

    def sent_and_taken() -> bool:
        statuses.publish(SafetyStatus(state=SafetyStatus.LIMITING, rule="fence", velocities=[-0.5, 0.2], late_ticks=3))
        states.publish(JointState(name=["joint1"], position=[0.3]))
        taken.extend((*rig.take_statuses(), *rig.take_joint_states()))
        return len({type(each) for each in taken}) == 2

    assert other.until(sent_and_taken)
    status = next(each for each in taken if isinstance(each, ReceivedStatus))
    assert (status.state, status.rule, status.max_speed, status.late_ticks) == ("LIMITING", "fence", 0.5, 3)
    assert 0 < time.monotonic_ns() - status.receive_ns < TIMEOUT_S * 1e9
    assert next(each for each in taken if not isinstance(each, ReceivedStatus)).positions == (0.3,)


def test_a_service_is_called_while_the_caller_goes_on(pair: tuple[RigNode, Other]) -> None:
    rig, other = pair

    def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = False, "no joint state"
        return response

    other.node.create_service(Trigger, "vla/arm", answer)
    call = rig.trigger("arm")
    assert other.until(call.ready)
    call.send()
    assert other.until(call.done)
    assert call.response.message == "no joint state"


def test_extra_publishers_appear_and_go(pair: tuple[RigNode, Other]) -> None:
    rig, other = pair
    rig.set_extra_publishers(2)
    assert rig.extra_publisher_count() == 2
    assert other.until(lambda: rig.count_publishers() == 3)
    rig.publish_extra(1, SETPOINT)
    rig.set_extra_publishers(0)
    assert other.until(lambda: rig.count_publishers() == 1)


def test_only_a_graph_with_a_simulated_clock_can_step_it(pair: tuple[RigNode, Other]) -> None:
    with pytest.raises(RuntimeError, match="no simulated clock"):
        pair[0].step_clock(1.0)
