"""One call of a Trigger service by a process that does nothing else: `vla-ros estop` must not load what it does not need.

Imports rclpy and std_srvs alone. With numpy, messages with arrays and policies a command takes three times as long.
"""

from __future__ import annotations

import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter

from vla_ros.ros.command_context import init_command

SERVICE_TIMEOUT_S, ANSWER_TIMEOUT_S = 3.0, 5.0
"""Longest wait for a service to be found, and for its answer after that."""
POLL_S = 0.002
AGAIN_S = 0.03
"""A request is repeated so often until it is answered: one that is sent before the service's side is matched would be read
only at DDS's next heartbeat, up to 3 s later."""


class Unreachable(RuntimeError):
    """A node does not answer; the text says which, and what to do."""


def not_offered(service: str) -> Unreachable:
    """Return the error for a service that nobody offers. service: its full name."""
    return Unreachable(f"nobody offers {service}: start the graph (vla-ros up), or give --namespace")


def call_trigger(namespace: str, name: str) -> tuple[bool, str]:
    """Call a Trigger service until it answers; return whether it was done, and its message.

    Args:
        namespace: of the arm. name: of the service, e.g. "vla/estop"; to call it twice must be the same as to call it once.

    Raises:
        Unreachable: it is not offered, or does not answer.
    """
    init_command()
    without = Parameter("start_type_description_service", value=False)
    node = rclpy.create_node(
        f"vla_ros_call_{time.monotonic_ns() % 10**9}",
        namespace=namespace,
        start_parameter_services=False,
        enable_rosout=False,
        parameter_overrides=[without],
    )
    try:
        return _called(node, name)
    finally:
        rclpy.try_shutdown()


def _called(node: Node, name: str) -> tuple[bool, str]:
    from std_srvs.srv import Trigger  # while DDS is finding the others

    client = node.create_client(Trigger, name)
    end_s = time.monotonic() + SERVICE_TIMEOUT_S
    while not client.service_is_ready():
        if time.monotonic() > end_s:
            raise not_offered(node.resolve_service_name(name))
        time.sleep(POLL_S)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    requests, end_s = [], time.monotonic() + ANSWER_TIMEOUT_S
    while time.monotonic() < end_s:
        requests.append(client.call_async(Trigger.Request()))
        again_s = time.monotonic() + AGAIN_S
        while (left_s := again_s - time.monotonic()) > 0.0:
            executor.spin_once(timeout_sec=left_s)
            for answer in (request.result() for request in requests if request.done()):
                return answer.success, answer.message
    raise Unreachable(f"{node.resolve_service_name(name)} does not answer")
