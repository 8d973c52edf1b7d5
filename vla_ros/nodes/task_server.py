"""task_server: an instruction as the action vla/execute. A process of its own: it outlives the planner, and tells of it."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

from vla_ros.action import Execute
from vla_ros.control.task_follower import PlanReport, TaskFollower, TaskOutcome
from vla_ros.control.task_server_parameters import TaskServerParameters
from vla_ros.msg import LatentPlan, SafetyStatus
from vla_ros.policies.contract import PlanState
from vla_ros.ros.diagnostics import OK, Diagnostics
from vla_ros.ros.discovery import publisher_names
from vla_ros.ros.instruction_relay import instruction_nodes_matched
from vla_ros.ros.node import run
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import NEWEST

PERIOD_S = 0.05
THREADS = 4
"""One waits for what becomes of the goal in hand, one answers requests, the others are for goals that follow quickly."""
LEAVING_S = 0.5
"""Time for the last results to be fetched before the node ends."""


def plan_report(message: LatentPlan) -> PlanReport:
    """Return what a plan says to people."""
    return PlanReport(
        message.instruction_id,
        message.instruction,
        PlanState(message.state),
        message.subtask,
        message.reasoning,
        message.progress,
        message.confidence,
    )


class TaskServer(Node):
    """Thin: says a goal's instruction, tells a `TaskFollower` what comes, passes on its feedback and its ending.

    Plans and statuses are taken only while there is a goal.
    """

    def __init__(self) -> None:
        super().__init__("task_server")
        self.parameters = declare_parameters(self, TaskServerParameters)
        self.lock = threading.Lock()
        self.current: TaskFollower | None = None
        self.instruction, self.goals = "", 0
        self.closing = False
        self.instructions = self.create_publisher(String, "task_instruction", NEWEST)
        self.plans = polled(self, LatentPlan, "vla/latent_plan", NEWEST)
        self.statuses = polled(self, SafetyStatus, "vla/safety_status", NEWEST)
        self.server = ActionServer(
            self,
            Execute,
            "vla/execute",
            self.execute,
            callback_group=ReentrantCallbackGroup(),
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self.diagnostics = Diagnostics(self, self.report)

    def execute(self, goal: Any) -> Execute.Result:
        """Carry out a goal: it is the newest, and ends the one before it."""
        p, text = self.parameters, goal.request.instruction
        follower = TaskFollower(text, p.plan_timeout_s, p.status_timeout_s, time.monotonic_ns())
        with self.lock:
            if self.current is not None:
                self.current.supersede(f"a new goal came: {text!r}")
            self.current, self.instruction, self.goals = follower, text, self.goals + 1
            for subscription in (self.plans, self.statuses):  # of the time before
                list(take(subscription))
        while follower.ending is None:
            with self.lock:
                self.follow(goal, follower)
            time.sleep(PERIOD_S)
        with self.lock:
            if self.current is follower:  # of a goal after it the instruction stands
                self.current = None
                if follower.ending.hold:
                    self.say("")
        return self.result(goal, follower)

    def follow(self, goal: Any, follower: TaskFollower) -> None:
        """Tell the follower what has come, and do what it says."""
        if self.closing:
            follower.abandon("task_server was ended")
        if follower.ending is not None:
            return
        now_ns = time.monotonic_ns()
        follower.on_planners(frozenset(publisher_names(self, self.plans.topic_name)))
        for status, _ in take(self.statuses):
            follower.on_status(status.state, status.reason, now_ns)
        for plan, _ in take(self.plans):
            follower.on_plan(plan_report(plan), now_ns)
        follower.tick(now_ns)
        if goal.is_cancel_requested and not follower.cancelled:
            follower.cancel(self.say("") if follower.said else 0, now_ns)
        elif follower.due(instruction_nodes_matched(self, self.instructions), now_ns):
            follower.on_said(time.time_ns(), now_ns)
            self.say(goal.request.instruction)
        feedback = follower.take_feedback()
        if feedback is not None:
            goal.publish_feedback(
                Execute.Feedback(subtask=feedback.subtask, progress=feedback.progress, confidence=feedback.confidence)
            )

    def result(self, goal: Any, follower: TaskFollower) -> Execute.Result:
        """Return how a goal has ended, once its status says so."""
        ending = follower.ending
        assert ending is not None
        match ending.outcome:
            case TaskOutcome.DONE:
                goal.succeed()
            case TaskOutcome.CANCELLED:
                goal.canceled()
            case _:
                goal.abort()
        self.get_logger().info(f"goal {goal.request.instruction[:200]!r}: {ending.outcome.name.lower()}: {ending.why}")
        return Execute.Result(outcome=int(ending.outcome), why=ending.why)

    def say(self, text: str) -> int:
        """Publish an instruction; return a time before that, ns of the system clock."""
        before_ns = time.time_ns()
        self.instructions.publish(String(data=text))
        return before_ns

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """For /diagnostics."""
        serving = self.current is not None
        text = f"carrying out {self.instruction[:200]!r}" if serving else "waiting for a goal"
        return OK, text, {"goals": self.goals}

    def close(self) -> None:
        """End the goal in hand, then the node."""
        self.closing = True


def spin(node: TaskServer) -> None:
    """Serve goals until the node is closed, and a goal in hand has its result."""
    executor = MultiThreadedExecutor(THREADS)
    executor.add_node(node)
    while node.context.ok() and not (node.closing and node.current is None):
        executor.spin_once(timeout_sec=0.2)
    end_s = time.monotonic() + (LEAVING_S if node.goals else 0.0)
    while node.context.ok() and time.monotonic() < end_s:
        executor.spin_once(timeout_sec=0.05)
    executor.shutdown()
    executor._executor.shutdown()  # rclpy does not wait for its threads, which would serve a node that is destroyed


def main() -> None:
    sys.exit(run("task_server", TaskServer, spin, TaskServer.close))


if __name__ == "__main__":
    main()
