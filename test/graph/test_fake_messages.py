"""The messages that stand for a policy, a driver and an obstacle feed carry what they are given."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

import rclpy
from visualization_msgs.msg import Marker

from vla_ros.ros.fake_messages import SimulatedClock, joint_state_message, obstacle_marker, setpoint_message
from vla_ros.ros.stamps import nanoseconds
from vla_ros.safety.geometry.obstacle import Obstacle


@dataclass(frozen=True)
class Setpoint:
    seq: int = 3
    stamp_ns: int = 1_500_000_000
    names: tuple[str, ...] = ("elbow", "wrist")
    positions: tuple[float, ...] = (0.1, 0.2)
    source: str = "override"


@dataclass(frozen=True)
class State:
    names: tuple[str, ...] = ("elbow", "wrist")
    positions: tuple[float, ...] = (0.1, 0.2)
    velocities: tuple[float, ...] = (0.3, 0.4)
    efforts: tuple[float, ...] = (5.0, 6.0)


def test_a_setpoint_message_has_all_fields() -> None:
    message = setpoint_message(Setpoint())
    assert (message.seq, message.source, list(message.joint_names)) == (3, "override", ["elbow", "wrist"])
    assert list(message.positions) == [0.1, 0.2]
    assert nanoseconds(message.header.stamp) == 1_500_000_000


def test_a_joint_state_message_has_all_fields() -> None:
    message = joint_state_message(State(), 7)
    assert (list(message.name), list(message.position)) == (["elbow", "wrist"], [0.1, 0.2])
    assert (list(message.velocity), list(message.effort)) == ([0.3, 0.4], [5.0, 6.0])
    assert nanoseconds(message.header.stamp) == 7


@pytest.mark.parametrize(
    ("shape", "size", "kind", "scale"),
    [
        ("box", (0.1, 0.2, 0.3), Marker.CUBE, (0.1, 0.2, 0.3)),
        ("sphere", (0.1,), Marker.SPHERE, (0.2, 0.2, 0.2)),
        ("capsule", (0.1, 0.5), Marker.CYLINDER, (0.2, 0.2, 0.5)),
    ],
)
def test_an_obstacle_marker_has_the_shape_and_the_diameters(
    shape: str, size: tuple[float, ...], kind: int, scale: tuple[float, ...]
) -> None:
    marker = obstacle_marker(Obstacle("one", "base", shape, size, (1.0, 2.0, 3.0), (0.0, 0.0, 1.0, 0.0)))
    assert (marker.ns, marker.header.frame_id, marker.type) == ("one", "base", kind)
    assert (marker.scale.x, marker.scale.y, marker.scale.z) == scale
    assert (marker.pose.position.z, marker.pose.orientation.z) == (3.0, 1.0)


def test_the_simulated_clock_steps_and_ends() -> None:
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("clock", context=context)
    clock = SimulatedClock(node)
    before_ns = clock.now_ns()
    clock.step(5.0)
    assert 5.0 <= (clock.now_ns() - before_ns) / 1e9 < 6.0
    clock.close()
    assert not clock._thread.is_alive()
    node.destroy_node()
    rclpy.shutdown(context=context)
