"""Does anybody else move the arm? Publishers on its controllers' topics, goals of their actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from action_msgs.msg import GoalStatus, GoalStatusArray
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from vla_ros.ros.bounded_input import BoundedInput
from vla_ros.ros.discovery import publisher_names
from vla_ros.safety.command.authority import GOALS, TOPIC
from vla_ros.safety.controller_parameters import Output, moving_actions, moving_topics
from vla_ros.safety.safety_parameters import SafetyFilterParameters

STATUS = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OPEN = (GoalStatus.STATUS_ACCEPTED, GoalStatus.STATUS_EXECUTING, GoalStatus.STATUS_CANCELING)
NAMED_GOALS = 3
LONGEST = 32_768
"""Bytes of a status: a thousand goals."""
TOO_LONG = GoalStatus(status=GoalStatus.STATUS_EXECUTING)
"""What a longer one counts as, since nobody knows what is in it."""


class OutputWatch:
    """Looks for strangers and tells the filter.

    Args:
        node: the filter's.
        parameters: of the filter.
        outputs: its controllers.
        tell: takes a channel of `authority` and the names of the strangers.
        own_goals: identifiers of the filter's own goals.
    """

    def __init__(
        self,
        node: Node,
        parameters: SafetyFilterParameters,
        outputs: Sequence[Output],
        tell: Callable[[str, Sequence[str]], None],
        own_goals: Callable[[], Iterable[bytes]],
    ) -> None:
        controller = parameters.controller
        self._node, self._tell, self._own_goals = node, tell, own_goals
        self._own = {output.name for output in outputs if not output.is_action}
        self._topics = moving_topics(outputs, controller.other_topics)
        self._told: dict[str, list[str]] = {}
        self._actions = {
            action: BoundedInput(node, GoalStatusArray, f"{action}/_action/status", STATUS, LONGEST)
            for action in moving_actions(outputs, controller.other_actions)
        }
        self._open: dict[str, list[bytes]] = {action: [] for action in self._actions}
        self._named: dict[str, list[bytes]] = {action: [] for action in self._actions}

    def look_up_publishers(self) -> None:
        """Tell who else publishes on a topic by which the arm can be moved."""
        for topic in self._topics:
            names = publisher_names(self._node, topic)
            if topic in self._own:
                mine = f"{self._node.get_namespace().rstrip('/')}/{self._node.get_name()} ("
                own = next((name for name in names if name.startswith(mine)), "")
                names = [name for name in names if name != own]
            self._tell_new(TOPIC + topic, names)
        for action in self._actions:
            if self._open[action] and not publisher_names(self._node, f"{action}/_action/status"):
                self._open[action] = []  # its controller is gone, and the goal with it

    def poll(self) -> None:
        """Tell which goals of others are not over; one that begins and ends between two calls is told once, too."""
        for action, statuses in self._actions.items():
            own = set(self._own_goals())
            seen: dict[bytes, None] = dict.fromkeys(self._open[action])
            for message, _ in statuses.take():
                found = message.status_list if message is not None else [TOO_LONG]
                ids = (bytes(each.goal_info.goal_id.uuid) for each in found if each.status in OPEN)
                self._open[action] = [goal for goal in ids if goal not in own]
                seen.update(dict.fromkeys(self._open[action]))
            if list(seen) != self._named[action]:
                self._named[action] = list(seen)
                named = [f"goal {goal.hex()[:8]}" for goal in list(seen)[:NAMED_GOALS]]
                self._tell_new(GOALS + action, named + self._clients(action) if named else [])

    def _clients(self, action: str) -> list[str]:
        """Who can send goals to an action: nodes that have a client of it."""
        service = self._node.resolve_service_name(f"{action}/_action/send_goal")
        infos = self._node.get_publishers_info_by_topic(f"rq{service}Request", no_mangle=True)
        own = self._node.get_name(), self._node.get_namespace()
        names = {
            f"{e.node_namespace.rstrip('/')}/{e.node_name}" for e in infos if (e.node_name, e.node_namespace) != own
        }
        return [f"client {name}" for name in sorted(names)]

    def _tell_new(self, channel: str, names: list[str]) -> None:
        if self._told.get(channel, []) != names:
            self._told[channel] = names
            self._tell(channel, names)
