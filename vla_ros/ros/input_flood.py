"""A stranger floods one input of the safety filter: `python -m vla_ros.ros.input_flood KIND`. It says when it begins."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import rclpy
from rcl_interfaces.msg import Parameter
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Empty, Float64
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker, MarkerArray

from vla_ros.end_signals import on_end_signal
from vla_ros.msg import JointCommand
from vla_ros.ros.qos import EVENTS, NEWEST, SENSOR

BEGUN = "flooding"
NAMES = [f"foreign{i}" for i in range(200_000)]
MARKERS = 10_000

Send = Callable[[], object]


def _published(node: Node, topics: Iterable[str], qos: QoSProfile, message: Any) -> Send:
    """Return what sends a message, serialized once, on topics."""
    data = serialize_message(message)
    publishers = [node.create_publisher(type(message), topic, qos) for topic in topics]

    def send() -> None:
        for publisher in publishers:
            publisher.publish(data)

    return send


def _called(node: Node, kind: type, names: Iterable[str], request: Any) -> Send:
    """Return what sends a request to services, without waiting for an answer."""
    clients = [node.create_client(kind, name) for name in names]
    return lambda: [client.call_async(request) for client in clients if client.service_is_ready()]


def _setpoints(node: Node) -> Send:
    message = JointCommand(source="policy", joint_names=NAMES, positions=[0.0] * len(NAMES))
    return _published(node, ("vla/joint_command", "vla/override"), EVENTS, message)


def _switches(node: Node) -> Send:
    sends = [
        _published(node, ("vla/speed_scale",), EVENTS, Float64(data=0.5)),
        _published(node, ("vla/estop_heartbeat",), EVENTS, Empty()),
        _published(node, ("vla/deadman",), EVENTS, Bool(data=True)),
    ]
    return lambda: [send() for send in sends]


def _requests(node: Node) -> Send:
    return _called(node, Trigger, ("vla/arm", "vla/disarm"), Trigger.Request())


def _parameters(node: Node) -> Send:
    request = SetParameters.Request(parameters=[Parameter(name=name) for name in NAMES])
    return _called(node, SetParameters, ("safety_filter/set_parameters",), request)


KINDS: Mapping[str, tuple[float, Callable[[Node], Send]]] = {
    "parameters": (2.0, _parameters),
    "joint_states": (
        10.0,
        lambda node: _published(node, ("joint_states",), SENSOR, JointState(name=NAMES, position=[0.0] * len(NAMES))),
    ),
    "markers": (
        10.0,
        lambda node: _published(
            node, ("vla/obstacles",), NEWEST, MarkerArray(markers=[Marker(id=i) for i in range(MARKERS)])
        ),
    ),
    "setpoints": (10.0, _setpoints),
    "releases": (1000.0, lambda node: _published(node, ("vla/estop",), EVENTS, Bool(data=False))),
    "switches": (1000.0, _switches),
    "requests": (200.0, _requests),
}
"""Name of a flood → how many times a second, and what sends it."""


def main() -> None:
    """Flood until a signal asks for the end, or until the parent process ends."""
    rate_hz, make = KINDS[sys.argv[1]]
    parent, signals = os.getppid(), list[int]()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    on_end_signal(signals.append)
    node = rclpy.create_node(f"flood_{os.getpid()}")
    send = make(node)
    time.sleep(1.0)  # discovery
    print(BEGUN, flush=True)
    next_s = time.monotonic()
    while not signals and os.getppid() == parent:
        send()
        next_s = max(next_s + 1.0 / rate_hz, time.monotonic() - 0.1)
        time.sleep(max(0.0, next_s - time.monotonic()))
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
