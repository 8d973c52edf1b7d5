"""The ROS side of the commands: say, arm, estop, what the simulator says, what diagnostics say."""

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
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String
from std_srvs.srv import Trigger

from vla_ros.cli.status import Report, Snapshot
from vla_ros.msg import LatentPlan, SafetyStatus
from vla_ros.policies.contract import PlanState
from vla_ros.ros.node import EVENTS, LATCHED, NEWEST, listened_to
from vla_ros.safety.states import LATCHED as LATCHES
from vla_ros.safety.states import State
from vla_ros.srv import GroundTruth, ResetScene

PATIENCE_S = 10.0
"""So long a node may take to be found, or to answer."""
SETTLED_S = 0.2
"""Who is matched here matches on its own side a moment later, and hears nothing before that."""
TAKEN_UP_S, SILENT_S = 10.0, 30.0
"""So long a planner may take to begin with a sentence, and from plan to plan."""
ENDS = (PlanState.DONE, PlanState.FAILED, PlanState.REFUSED)


class Unreachable(RuntimeError):
    """Nobody answers; the text says who, and what to do."""


class Client:
    """A node of its own for as long as a command runs. Use `client()`."""

    def __init__(self, namespace: str = "", over: threading.Event | None = None) -> None:
        self.over = over or threading.Event()
        self.node = rclpy.create_node(f"vla_ros_client_{time.monotonic_ns() % 10**9}", namespace=namespace)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.plan: LatentPlan | None = None
        self.plan_s = 0.0
        self.status: SafetyStatus | None = None
        self.diagnostics: dict[str, dict[str, str]] = {}
        self.heard_s: dict[str, float] = {}
        self.question = ""
        self.node.create_subscription(LatentPlan, "vla/latent_plan", self._see_plan, NEWEST)
        self.node.create_subscription(SafetyStatus, "vla/safety_status", self._see_status, EVENTS)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._see_diagnostics, EVENTS)
        self.node.create_subscription(String, "vla/question", self._see_question, LATCHED)
        self.words = self.node.create_publisher(String, "task_instruction", NEWEST)

    def _see_plan(self, message: LatentPlan) -> None:
        self.plan, self.plan_s = message, time.monotonic()

    def _see_status(self, message: SafetyStatus) -> None:
        self.status = message

    def _see_question(self, message: String) -> None:
        self.question = message.data

    def _see_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.rpartition("/")[0] != self.node.get_namespace().rstrip("/"):
                continue  # all arms share the topic
            self.heard_s[status.name.rsplit("/", 1)[-1]] = time.monotonic()
            values = {pair.key: pair.value for pair in status.values}
            values["level"], values["message"] = str(int.from_bytes(status.level, "little")), status.message
            self.diagnostics[status.name.rsplit("/", 1)[-1]] = values

    def snapshot(self) -> Snapshot:
        """What has been heard so far, for `vla-ros status`."""
        reports, now_s = [], time.monotonic()
        for name, said in self.diagnostics.items():
            values = {key: value for key, value in said.items() if key not in ("level", "message")}
            reports.append(Report(name, int(said["level"]), said["message"], values, now_s - self.heard_s[name]))
        gate, plan = self.status, self.plan
        words = "" if gate is None else f"{State(gate.state).name}{f': {gate.reason}' if gate.reason else ''}"
        intent = ""
        if plan is not None:
            said = plan.subtask or plan.reasoning
            intent = (
                f"{PlanState(plan.state).name}: {plan.instruction or '(no instruction)'}{f': {said}' if said else ''}"
            )
            intent += "".join(
                f", {name} {value:.0%}"
                for name, value in (("progress", plan.progress), ("confidence", plan.confidence))
                if math.isfinite(value)
            )
        return Snapshot(reports, words, intent, self.question)

    def spin(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Serve what arrives for at most `seconds`; True as soon as `until` holds.

        Raises:
            Unreachable: the command is over.
        """
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            if self.over.is_set():
                raise Unreachable("asked to end")
            if until():
                return True
            self.executor.spin_once(timeout_sec=0.05)
        return until()

    def call(self, kind: Any, name: str, request: Any, patience_s: float = 3.0) -> Any:
        """Call a service.

        Raises:
            Unreachable: it does not answer.
        """
        client = self.node.create_client(kind, name)
        full_name = self.node.resolve_service_name(name)
        try:
            if not self.spin(patience_s, client.service_is_ready):
                raise Unreachable(f"nobody offers {full_name}: start the graph (vla-ros up), or give --namespace")
            future = client.call_async(request)
            if not self.spin(patience_s + 5.0, future.done):
                raise Unreachable(f"{full_name} does not answer")
            return future.result()
        finally:
            self.node.destroy_client(client)

    def trigger(self, name: str, patience_s: float = 3.0) -> tuple[bool, str]:
        """Call one of the filter's services: arm, disarm, estop, reset."""
        answer = self.call(Trigger, f"vla/{name}", Trigger.Request(), patience_s)
        return answer.success, answer.message

    def arm(self, patience_s: float) -> tuple[bool, str]:
        """Arm, waiting until the filter hears the arm."""
        end_s = time.monotonic() + patience_s
        while True:
            done, message = self.trigger("arm", max(3.0, end_s - time.monotonic()))
            if done or time.monotonic() > end_s:
                return done, message
            self.spin(0.3)

    def ready(self, patience_s: float) -> None:
        """Wait until the filter is there, and camera, planner and action expert are active.

        Raises:
            Unreachable: one of them is not, in time.
        """
        needed = ("planner", "action_expert", "camera", "safety_filter")

        def missing() -> list[str]:
            silent = {"message": "not active"}
            return [name for name in needed if self.diagnostics.get(name, silent)["message"] == "not active"]

        if not self.spin(patience_s, lambda: not missing()):
            raise Unreachable(f"not ready after {patience_s:.0f} s: {', '.join(missing())}")

    def publish(self, text: str) -> int:
        """Publish an instruction once planner, action expert and everybody else who listens can hear it.

        Returns:
            when, ns of the system clock; the plans for it have an instruction_id that is not less.

        Raises:
            Unreachable: planner or action expert does not listen.
        """
        if not self.spin(PATIENCE_S, lambda: listened_to(self.node, self.words)):
            raise Unreachable(f"planner and action expert do not listen on {self.words.topic_name}: start the graph")
        self.spin(SETTLED_S)
        said_ns = time.time_ns()
        self.words.publish(String(data=text))
        return said_ns

    def follow(self, text: str, limit_s: float = float("inf"), say: Callable[[str], None] = print) -> tuple[str, str]:
        """Give an instruction and follow it to its end.

        Returns:
            "done", "failed", "refused", "stopped" (the filter latched), "unarmed", "superseded" (somebody said something
            else), "silent" (the planner says nothing, or nothing of this) or "timeout"; and why.
        """
        said_ns = self.publish(text)
        began_s = self.plan_s = time.monotonic()
        end_s = began_s + limit_s
        last, mine = "", 0
        while time.monotonic() < end_s:
            self.spin(0.05)
            if self.status is not None and self.status.state in LATCHES:
                return "stopped", f"{State(self.status.state).name}: {self.status.reason}"
            if self.status is not None and self.status.state == State.DISARMED:
                return "unarmed", "the safety filter is DISARMED: run `vla-ros arm`"
            plan = self.plan
            if time.monotonic() - self.plan_s > SILENT_S:
                return "silent", f"no plan for {SILENT_S:g} s: see `vla-ros status`"
            late = time.monotonic() - began_s > TAKEN_UP_S
            if plan is None or plan.instruction_id < said_ns:  # stamped by this machine's clock, if it is mine
                if late:
                    return "silent", "the planner has not taken it up: say it again, or see `vla-ros status`"
                continue
            if not mine and plan.instruction == text.strip():
                mine = plan.instruction_id
            if plan.instruction_id != mine:
                if mine or late:
                    return "superseded", f"somebody said {plan.instruction!r}"
                continue
            line = plan.subtask or plan.reasoning
            if line and line != last:
                last = line
                say(f"  {line}" + (f"  ({plan.reasoning})" if plan.subtask and plan.reasoning else ""))
            if plan.state in ENDS:
                return PlanState(plan.state).name.lower(), plan.reasoning
        return "timeout", f"not finished after {limit_s:.0f} s ({last})"

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


@contextmanager
def client(namespace: str = "", over: threading.Event | None = None) -> Iterator[Client]:
    """A connected client; signals stay Python's, so that Ctrl-C is a KeyboardInterrupt. `over`: set to end it."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    made = Client(namespace, over)
    try:
        yield made
    finally:
        made.node.destroy_node()
        rclpy.try_shutdown()
