"""The gripper by an action of control_msgs: GripperCommand or ParallelGripperCommand, polled, without an executor."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from action_msgs.msg import GoalStatus
from control_msgs.action import GripperCommand, ParallelGripperCommand
from control_msgs.msg import GripperCommand as GripperCommandGoal
from rclpy.action import ActionClient
from rclpy.node import Node
from sensor_msgs.msg import JointState
from unique_identifier_msgs.msg import UUID

from vla_ros.ros.polling import PolledCallbackGroup
from vla_ros.safety.controller_parameters import ControllerParameters, Output
from vla_ros.time import NS_PER_S

ANSWER_TIMEOUT_NS = NS_PER_S
"""So long a goal may go unanswered, and the server be away when there is one to send."""
PAUSE_NS = NS_PER_S // 2
"""After a silence of the filter of so long the gripper stays as it is, until the output leaves where it begins."""
ALMOST = 1e-6
"""A target as near as this to the last goal is the same one, rad or m."""
REMEMBERED_GOALS = 256


class GripperAction:
    """Sends goals as the gripper's output moves, and watches what becomes of them.

    A goal is always an output of the filter. The next one is sent when the output is `gripper_step` away from it, or has come
    to rest elsewhere, at most one each `gripper_goal_period_s`.

    own_goals: identifiers of the newest goals. problem: why the action takes no goals; empty: it does. newest: what became
    of the newest goal, in words.

    Args:
        node: whose client it is.
        output: of the gripper.
        joint_name: of its joint.
        controller: the parameters.
    """

    def __init__(self, node: Node, output: Output, joint_name: str, controller: ControllerParameters) -> None:
        self._kind: Any = GripperCommand if output.type == "gripper_command" else ParallelGripperCommand
        self._client = ActionClient(node, self._kind, output.name, callback_group=PolledCallbackGroup())
        self._handle: Any = self._client._client_handle  # rclpy has no call that takes without an executor
        self._joint, self._joint_name, self.name = output.joints[0], joint_name, output.name
        self._step, self._effort = controller.gripper_step, controller.gripper_max_effort
        self._period_ns = round(controller.gripper_goal_period_s * NS_PER_S)
        self._target: float | None = None
        self._goal = 0.0
        self._called_ns = self._sent_ns = self._refused_since_ns = 0
        self._pending: tuple[int, UUID] | None = None
        self.own_goals: deque[bytes] = deque(maxlen=REMEMBERED_GOALS)
        self.problem = self.newest = ""

    def send(self, positions: Sequence[float], now_ns: int) -> None:
        """Send a goal if the output of this tick needs one.

        Args:
            positions: of all joints, rad or m.
            now_ns: monotonic time.
        """
        target, before = positions[self._joint], self._target
        begins = before is None or now_ns - self._called_ns > PAUSE_NS
        self._target, self._called_ns = target, now_ns
        if begins:
            self._goal, self._pending, self.problem, self._refused_since_ns = target, None, "", 0
            return
        moved = abs(target - self._goal)
        due = moved >= self._step or (moved > ALMOST and target == before)
        if self._pending is not None:
            if now_ns - self._sent_ns > ANSWER_TIMEOUT_NS:
                self.problem = f"{self.name} does not answer a goal"
                self._pending = None
            return
        if due and now_ns - self._sent_ns >= self._period_ns:
            self._send(target, now_ns)

    def poll(self) -> None:
        """Take all answers that have come."""
        implementation = self._kind.Impl
        sequence, answer = self._handle.take_goal_response(implementation.SendGoalService.Response)
        if answer is not None and self._pending is not None and sequence == self._pending[0]:
            goal_id, self._pending = self._pending[1], None
            self.problem = "" if answer.accepted else f"{self.name} rejects a goal"
            self.newest = "accepted" if answer.accepted else "rejected"
            if answer.accepted:
                self._handle.send_result_request(implementation.GetResultService.Request(goal_id=goal_id))
        _, result = self._handle.take_result_response(implementation.GetResultService.Response)
        if result is not None:
            self.newest = _outcome(result)
        self._handle.take_feedback(implementation.FeedbackMessage)
        self._handle.take_status(implementation.GoalStatusMessage)

    def _send(self, target: float, now_ns: int) -> None:
        if not self._client.server_is_ready():
            self._refused_since_ns = self._refused_since_ns or now_ns
            if now_ns - self._refused_since_ns > ANSWER_TIMEOUT_NS:
                self.problem = f"{self.name}: no server of this action"
            self._sent_ns = now_ns  # it is asked again after a goal's period, not in every tick
            return
        self._refused_since_ns = 0
        goal_id = UUID(uuid=list(uuid.uuid4().bytes))
        self.own_goals.append(bytes(goal_id.uuid))
        request = self._kind.Impl.SendGoalService.Request(goal_id=goal_id, goal=self._goal_message(target))
        self._pending = self._handle.send_goal_request(request), goal_id
        self._goal, self._sent_ns = target, now_ns

    def _goal_message(self, target: float) -> GripperCommand.Goal | ParallelGripperCommand.Goal:
        if self._kind is GripperCommand:
            return GripperCommand.Goal(command=GripperCommandGoal(position=target, max_effort=self._effort))
        effort = [self._effort] if self._effort else []
        return ParallelGripperCommand.Goal(
            command=JointState(name=[self._joint_name], position=[target], effort=effort)
        )


def _outcome(response: Any) -> str:
    """What became of a goal, in words."""
    if response.result.reached_goal:
        return "reached"
    if response.result.stalled:
        return "stalled: something is in the way"
    names = {GoalStatus.STATUS_ABORTED: "aborted", GoalStatus.STATUS_CANCELED: "replaced or cancelled"}
    return names.get(response.status, "over")
