"""What becomes of the outputs: does a gripper take its goals, do controllers follow, does anybody else move the arm?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rclpy.node import Node

from vla_ros.ros.controller_state import ControllerStates
from vla_ros.ros.discovery import publisher_names
from vla_ros.ros.gripper_output import GripperAction
from vla_ros.ros.output_watch import OutputWatch
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.controller_parameters import ACTIONS, ControllerParameters, outputs_of
from vla_ros.safety.filter import SafetyFilter


class ArmControllers:
    """Sends to a gripper that is an action, and hands to the filter what the controllers and others do.

    Args:
        node: of the filter.
        safety_filter: it.
    """

    def __init__(self, node: Node, safety_filter: SafetyFilter | Recorder) -> None:
        parameters = safety_filter.parameters
        outputs = outputs_of(parameters.controller, parameters.joint_names)
        self._node, self._filter = node, safety_filter
        self._own_topics = _own_topics(parameters.controller)
        self._grippers = [
            GripperAction(node, output, parameters.joint_names[output.joints[0]], parameters.controller)
            for output in outputs
            if output.is_action
        ]
        self._states = ControllerStates(node, outputs) if parameters.controller.state_timeout_s else None
        self._watch = OutputWatch(node, parameters, outputs, safety_filter.publishers, self._own_goals)

    def receive(self) -> None:
        """Take all that has arrived."""
        for gripper in self._grippers:
            gripper.poll()
            if gripper.problem:
                self._filter.controller_problem(gripper.problem)
                gripper.problem = ""
        if self._states is not None:
            for state in self._states.newest():
                self._filter.controller_state(time.monotonic_ns(), *state)
        self._watch.poll()

    def send(self, positions: Sequence[float], now_ns: int) -> None:
        """Send the positions of a tick to those that are actions."""
        for gripper in self._grippers:
            gripper.send(positions, now_ns)

    def look_ups(self) -> list[Callable[[], None]]:
        """Return calls that tell the filter who publishes where the controllers listen."""
        return [
            *(partial(self._look_up, source, topic) for source, topic in self._own_topics.items()),
            *([self._look_up_states] if self._states is not None else []),
            self._watch.look_up_publishers,
        ]

    def report(self) -> dict[str, object]:
        """Return values for diagnostics."""
        return {f"goal of {gripper.name}": gripper.newest or "none yet" for gripper in self._grippers}

    def _look_up(self, source: str, topic: str) -> None:
        self._filter.publishers(source, publisher_names(self._node, topic))

    def _look_up_states(self) -> None:
        assert self._states is not None
        self._filter.publishers("controller_state", self._states.publishers())

    def _own_goals(self) -> Iterable[bytes]:
        for gripper in self._grippers:
            yield from gripper.own_goals


def _own_topics(controller: ControllerParameters) -> dict[str, str]:
    """Return the topics of the filter's own messages by their channel in `authority.SINGLE_INPUTS`."""
    topics = {"controller": controller.topic or controller.topics[0]}
    if controller.gripper_topic and controller.gripper_type not in ACTIONS:
        topics["gripper"] = controller.gripper_topic
    return topics
