"""The services of the safety filter: vla/estop, vla/arm, vla/disarm, vla/reset, vla/release_lost_estop."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.node import Node
from std_srvs.srv import Trigger

from vla_ros.ros.controller_output import ControllerOutput
from vla_ros.ros.discovery import unmatched_publishers, unpublished
from vla_ros.ros.filter_inputs import TYPES
from vla_ros.ros.polling import PolledCallbackGroup, serve
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.command.authority import JOINT_STATES
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.services import OUTLOOK

ESTOP = "vla/estop"
"""Service and topic."""


class FilterServices:
    """Answers one waiting request of the e-stop in a tick, and one of one of the others: to look takes time too.

    Args:
        node: of the filter.
        safety_filter: it.
        output: of the node; it knows whether the controllers' clock is this one.
    """

    def __init__(self, node: Node, safety_filter: SafetyFilter | Recorder, output: ControllerOutput) -> None:
        self._node, self._filter, self._output = node, safety_filter, output
        self._turn = 0
        group = PolledCallbackGroup()
        self._estop, *self._others = [
            node.create_service(Trigger, f"vla/{name}", self._answer(name, act), callback_group=group)
            for name, act in (
                ("estop", lambda: safety_filter.estop(f"service {ESTOP}")),
                ("arm", self._arm),
                ("disarm", safety_filter.disarm),
                ("reset", lambda: safety_filter.reset(time.monotonic_ns())),
                ("release_lost_estop", safety_filter.release_lost_estop),
            )
        ]

    def serve(self) -> None:
        """Answer who waits for the e-stop, and who waits for one of the others."""
        serve(self._estop)
        self._turn = (self._turn + 1) % len(self._others)
        serve(self._others[self._turn])

    def _arm(self) -> tuple[bool, str]:
        deaf = unmatched_publishers(self._node, {ESTOP: TYPES[ESTOP]})
        objection = next(filter(None, (*deaf, self._output.clock_objection(), self._output.unread())), "")
        if objection:
            return False, f"cannot arm: {objection}"
        armed, answer = self._filter.arm(time.monotonic_ns())
        missing = "" if armed else unpublished(self._node, JOINT_STATES, TYPES[JOINT_STATES])
        return armed, f"{answer}; {missing}" if missing else answer

    def _answer(
        self, name: str, act: Callable[[], tuple[bool, str]]
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            response.success, response.message = act()
            if response.success and self._filter.values.stops and name in OUTLOOK:
                response.message += f"; {OUTLOOK[name]}"
            self._node.get_logger().info(response.message)
            return response

        return answer
