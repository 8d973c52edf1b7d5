"""What a node says of itself on /diagnostics, once a second."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from vla_ros.resources import CONFIGURATION_VARIABLE, version
from vla_ros.ros.node import steady_timer
from vla_ros.ros.qos import EVENTS
from vla_ros.tracing.hosts import CONFIGURATION, HOST, PROCESS, VERSION

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Diagnostics:
    """Publishes one status on /diagnostics.

    Args:
        node: its fully qualified name is the status's name.
        report: returns (level, message, values) when asked.
        period_s: 1 Hz by default; 0 leaves the pace to calls of `publish`.
    """

    def __init__(
        self, node: Node, report: Callable[[], tuple[bytes, str, Mapping[str, object]]], period_s: float = 1.0
    ) -> None:
        self._node = node
        self._report = report
        self._host = socket.gethostname()
        given = {VERSION: version(), CONFIGURATION: os.environ.get(CONFIGURATION_VARIABLE, "")}
        self._start = {
            HOST: self._host,
            PROCESS: str(os.getpid()),
            **{key: value for key, value in given.items() if value},
        }
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", EVENTS)
        if period_s:
            steady_timer(node, period_s, self.publish)

    def publish(self) -> None:
        """Ask for a report and publish it."""
        level, message, values = self._report()
        status = DiagnosticStatus(
            level=level,
            name=self._node.get_fully_qualified_name(),
            message=message,
            hardware_id=self._host,
            values=[KeyValue(key=key, value=_text(value)) for key, value in {**values, **self._start}.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
