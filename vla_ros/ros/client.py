"""The ROS side of the commands of vla-ros: instructions, the filter's services, the simulator's verdict, diagnostics."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String
from std_srvs.srv import Trigger

from vla_ros.bringup.process import check_namespace
from vla_ros.msg import LatentPlan, SafetyStatus
from vla_ros.policies.contract import PlanState
from vla_ros.ros.command_context import init_command
from vla_ros.ros.discovery import hosts_of_publishers
from vla_ros.ros.instruction_relay import instruction_nodes_matched
from vla_ros.ros.qos import EVENTS, LATCHED, NEWEST
from vla_ros.ros.service_call import ANSWER_TIMEOUT_S, SERVICE_TIMEOUT_S, Unreachable, not_offered
from vla_ros.safety.states import LATCHED as LATCHES
from vla_ros.safety.states import State
from vla_ros.srv import GroundTruth, ResetScene
from vla_ros.tracing.graph_status import GraphStatus, NodeStatus
from vla_ros.tracing.hosts import HOST, PROCESS
from vla_ros.tracing.told_lines import ToldLines

__all__ = ["Client", "Unreachable", "connect"]

CONNECTION_TIMEOUT_S = 10.0
"""Longest wait for the nodes that hear an instruction."""
OUTLOOK_TIMEOUT_S, STALE_REPORT_S = 0.8, 0.05
"""Longest wait for a report of the planner on what it does next; one that came sooner may have been under way before."""
MATCH_DELAY_S = 0.2
"""Who is matched here is matched on the other side a moment later. Before that, a message is lost, and a request waits for
DDS's next heartbeat, up to 3 s."""
INSTRUCTION_TIMEOUT_S, PLAN_TIMEOUT_S = 10.0, 30.0
"""Longest wait for the first plan of an instruction, and from plan to plan."""
FINAL_STATES = (PlanState.DONE, PlanState.FAILED, PlanState.REFUSED)


class Client:
    """A node for as long as a command runs. Use `connect()`.

    plan, status, question: the newest message of each; None or "" while none was heard. plan_s: when the plan came, s of
    the monotonic clock. diagnostics: node → its values, with "level" and "message".

    Args:
        namespace: of the arm.
        end: event that another thread sets to end what this client waits for.
    """

    def __init__(self, namespace: str = "", end: threading.Event | None = None) -> None:
        self._end = end or threading.Event()
        self.node = rclpy.create_node(f"vla_ros_client_{time.monotonic_ns() % 10**9}", namespace=namespace)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.plan: LatentPlan | None = None
        self.plan_s = 0.0
        self.status: SafetyStatus | None = None
        self.diagnostics: dict[str, dict[str, str]] = {}
        self._diagnostics_s: dict[str, float] = {}
        self._reports: dict[tuple[str, str, str], tuple[float, dict[str, str]]] = {}
        self.question = ""
        self.node.create_subscription(LatentPlan, "vla/latent_plan", self._on_plan, NEWEST)
        self.node.create_subscription(SafetyStatus, "vla/safety_status", self._on_status, EVENTS)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, EVENTS)
        self.node.create_subscription(String, "vla/question", self._on_question, LATCHED)
        self.instructions = self.node.create_publisher(String, "task_instruction", NEWEST)

    def _on_plan(self, message: LatentPlan) -> None:
        self.plan, self.plan_s = message, time.monotonic()

    def _on_status(self, message: SafetyStatus) -> None:
        self.status = message

    def _on_question(self, message: String) -> None:
        self.question = message.data

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.rpartition("/")[0] != self.node.get_namespace().rstrip("/"):
                continue  # all arms share the topic
            name, now_s = status.name.rsplit("/", 1)[-1], time.monotonic()
            values = {pair.key: pair.value for pair in status.values}
            values["level"], values["message"] = str(int.from_bytes(status.level, "little")), status.message
            self._diagnostics_s[name], self.diagnostics[name] = now_s, values
            self._reports[name, values.get(HOST, ""), values.get(PROCESS, "")] = now_s, values

    def graph_status(self) -> GraphStatus:
        """Return what has been heard so far, for `vla-ros status`."""
        reports, now_s = [], time.monotonic()
        for (name, _, _), (heard_s, diagnostics) in self._reports.items():
            values = {key: value for key, value in diagnostics.items() if key not in ("level", "message")}
            level, message = int(diagnostics["level"]), diagnostics["message"]
            reports.append(NodeStatus(name, level, message, values, now_s - heard_s))
        sender = self.diagnostics.get("action_expert", {}).get("said_by", "")
        said_by = f", said by {sender}" if sender else ""
        plan = _plan_line(self.plan) or self.diagnostics.get("planner", {}).get("outlook", "")
        filters = self.filters()
        lines = (_filter_line(self.status), f"{plan}{said_by}" if plan else "", self.question)
        if len(filters) > 1:  # they would be those of either graph; each node's row says what it does
            lines = ("", "", "")
        return GraphStatus(reports, *lines, filters, self._other_namespaces())

    def filters(self) -> list[str]:
        """Return the safety filters of this namespace: name, GUID, and whether it is on this machine. Two are two graphs."""
        return hosts_of_publishers(self.node, "vla/safety_status", self.instructions)

    def _other_namespaces(self) -> list[str]:
        """Return the namespaces of the other arms in this domain."""
        found = {space for name, space in self.node.get_node_names_and_namespaces() if name == "safety_filter"}
        return sorted(found - {self.node.get_namespace()})

    def spin(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Serve what arrives for at most `seconds`; return True as soon as `until` holds.

        Raises:
            Unreachable: the event `end` is set.
        """
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            if self._end.is_set():
                raise Unreachable("asked to end")
            if until():
                return True
            self.executor.spin_once(timeout_sec=0.05)
        return until()

    def call(self, kind: Any, name: str, request: Any, timeout_s: float = SERVICE_TIMEOUT_S) -> Any:
        """Call a service.

        Raises:
            Unreachable: it does not answer.
        """
        client = self.node.create_client(kind, name)
        full_name = self.node.resolve_service_name(name)
        try:
            if not self.spin(timeout_s, client.service_is_ready):
                raise not_offered(full_name)
            self.spin(MATCH_DELAY_S)
            future = client.call_async(request)
            if not self.spin(timeout_s + ANSWER_TIMEOUT_S, future.done):
                raise Unreachable(f"{full_name} does not answer")
            return future.result()
        finally:
            self.node.destroy_client(client)

    def trigger(self, name: str, timeout_s: float = SERVICE_TIMEOUT_S) -> tuple[bool, str]:
        """Call one of the filter's services: arm, disarm, estop, reset. Returns whether it was done, and its message.

        The message says what becomes of the task, where something may move now or later.
        """
        answer: Trigger.Response = self.call(Trigger, f"vla/{name}", Trigger.Request(), timeout_s)
        outlook = self._outlook() if answer.success and name in ("arm", "reset") else ""
        return answer.success, f"{answer.message}; {outlook}" if outlook else answer.message

    def _outlook(self) -> str:
        """Return what the planner says that comes next; empty: nothing, or it is not heard."""
        began_s = time.monotonic()
        self.spin(OUTLOOK_TIMEOUT_S, lambda: self._diagnostics_s.get("planner", 0.0) > began_s + STALE_REPORT_S)
        return self.diagnostics.get("planner", {}).get("outlook", "")

    def continue_task(self, limit_s: float = float("inf"), on_line: Callable[[str], None] = print) -> tuple[str, str]:
        """Let the task go on that a stop has ended, and follow it; outcomes as `follow`, and "refused": there is none.

        Raises:
            Unreachable: the planner does not answer.
        """
        before = self.plan.instruction_id if self.plan is not None else 0
        answer: Trigger.Response = self.call(Trigger, "vla/continue", Trigger.Request())
        if not answer.success:
            return "refused", answer.message
        on_line(answer.message)
        return _follow(self, None, before + 1, limit_s, on_line)

    def arm(self, timeout_s: float) -> tuple[bool, str]:
        """Arm, waiting until the filter hears the arm. Returns as `trigger`."""
        end_s = time.monotonic() + timeout_s
        while True:
            done, message = self.trigger("arm", max(SERVICE_TIMEOUT_S, end_s - time.monotonic()))
            if done or time.monotonic() > end_s:
                return done, message
            self.spin(0.3)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until the filter is there, and camera, planner and action expert are active.

        Raises:
            Unreachable: one of them is not, in time.
        """
        needed = ("planner", "action_expert", "camera", "safety_filter")

        def missing() -> list[str]:
            silent = {"message": "not active"}
            return [name for name in needed if self.diagnostics.get(name, silent)["message"] == "not active"]

        if not self.spin(timeout_s, lambda: not missing()):
            raise Unreachable(f"not ready after {timeout_s:.0f} s: {', '.join(missing())}")

    def publish(self, text: str) -> int:
        """Publish an instruction once the action expert, and all other subscribers, can hear it and there is a planner.

        Returns:
            the time of publishing, ns of the system clock; plans for it have an instruction_id that is not less.

        Raises:
            Unreachable: planner or action expert does not listen.
        """
        if not self.spin(CONNECTION_TIMEOUT_S, lambda: instruction_nodes_matched(self.node, self.instructions)):
            raise Unreachable(
                f"planner and action expert do not listen on {self.instructions.topic_name}: start the graph"
            )
        self.spin(MATCH_DELAY_S)
        published_ns = time.time_ns()
        self.instructions.publish(String(data=text))
        return published_ns

    def follow(
        self, text: str, limit_s: float = float("inf"), on_line: Callable[[str], None] = print
    ) -> tuple[str, str]:
        """Give an instruction and follow it to its end.

        Args:
            text: the instruction.
            limit_s: longest time to follow it.
            on_line: called with each new line about what is being done.

        Returns:
            outcome and reason. Outcomes: "done", "failed", "refused", "stopped" (the filter latched), "unarmed",
            "superseded" (another instruction came), "silent" (no plans, or none for this instruction), "timeout".
        """
        return _follow(self, text, self.publish(text), limit_s, on_line)

    def reset_scene(self, seed: int, task: str = "") -> str:
        """Build another scene in the simulator and return the words for its task.

        Raises:
            Unreachable: there is no simulator, or it refuses.
        """
        answer = self.call(ResetScene, "sim/reset_scene", ResetScene.Request(seed=seed, task=task))
        if not answer.success:
            raise Unreachable(answer.message)
        return str(answer.instruction)

    def ground_truth(self) -> tuple[bool, dict[str, Any]]:
        """Return the simulator's verdict and its state."""
        answer = self.call(GroundTruth, "sim/ground_truth", GroundTruth.Request())
        return answer.task_success, json.loads(answer.state)


def _follow(
    client: Client, text: str | None, published_ns: int, limit_s: float, on_line: Callable[[str], None]
) -> tuple[str, str]:
    """Follow the instruction with these words, or any, whose id is not less than `published_ns`."""
    began_s = client.plan_s = time.monotonic()
    end_s = began_s + limit_s
    told, line, instruction_id = ToldLines(), "", 0
    while time.monotonic() < end_s:
        client.spin(0.05)
        if client.status is not None and client.status.state in LATCHES:
            return "stopped", f"{State(client.status.state).name}: {client.status.reason}"
        if client.status is not None and client.status.state == State.DISARMED:
            return "unarmed", "the safety filter is DISARMED: run `vla-ros arm`"
        plan = client.plan
        if time.monotonic() - client.plan_s > PLAN_TIMEOUT_S:
            return "silent", f"no plan for {PLAN_TIMEOUT_S:g} s: see `vla-ros status`"
        late = time.monotonic() - began_s > INSTRUCTION_TIMEOUT_S
        # An instruction's id is the time at which it was published, by this machine's clock.
        if plan is None or plan.instruction_id < published_ns:
            if late:
                return "silent", "the planner has not taken it up: say it again, or see `vla-ros status`"
            continue
        if not instruction_id and (text is None or plan.instruction == text.strip()):
            instruction_id = plan.instruction_id
        if plan.instruction_id != instruction_id:
            if instruction_id or late:
                return "superseded", f"somebody said {plan.instruction!r}"
            continue
        line = plan.subtask or plan.reasoning
        if told.worth_telling(line, time.monotonic()):
            on_line(f"  {line}" + (f"  ({plan.reasoning})" if plan.subtask and plan.reasoning else ""))
        if plan.state in FINAL_STATES:
            return PlanState(plan.state).name.lower(), plan.reasoning
    return "timeout", f"not finished after {limit_s:.0f} s ({line})"


def _filter_line(status: SafetyStatus | None) -> str:
    """The filter's state and why; empty without a status."""
    if status is None:
        return ""
    return f"{State(status.state).name}{f': {status.reason}' if status.reason else ''}"


def _plan_line(plan: LatentPlan | None) -> str:
    """What the planner does, how far it is and how sure; empty without a plan."""
    if plan is None:
        return ""
    text = plan.subtask or plan.reasoning
    line = f"{PlanState(plan.state).name}: {plan.instruction or '(no instruction)'}{f': {text}' if text else ''}"
    shares = (("progress", plan.progress), ("confidence", plan.confidence))
    return line + "".join(f", {name} {value:.0%}" for name, value in shares if math.isfinite(value))


@contextmanager
def connect(namespace: str = "", end: threading.Event | None = None) -> Iterator[Client]:
    """Yield a connected client. Signals stay Python's, so that Ctrl-C is a KeyboardInterrupt. Arguments: see `Client`."""
    namespace = check_namespace(namespace)
    init_command()
    made = Client(namespace, end)
    try:
        yield made
    finally:
        made.node.destroy_node()
        rclpy.try_shutdown()
