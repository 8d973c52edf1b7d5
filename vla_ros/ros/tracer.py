"""The ROS side of `vla-ros trace`: listens to everything between camera and controller, and sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import NodeNameNonExistentError
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String
from trajectory_msgs.msg import JointTrajectory

from vla_ros.bringup.process import check_namespace
from vla_ros.msg import ActionChunk, CameraFrames, JointCommand, LatentPlan, SafetyStatus
from vla_ros.policies.contract import PlanState
from vla_ros.ros.command_context import init_command
from vla_ros.ros.instruction_relay import RELAYED
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import LATCHED, SENSOR
from vla_ros.ros.stamps import nanoseconds
from vla_ros.safety.states import State
from vla_ros.scheduling import use_real_time_scheduling
from vla_ros.tracing.hops import HopTracker
from vla_ros.tracing.reasoning import Reasoning, ReasoningEntry

POLL_S = 0.02
REALTIME_PRIORITY = 1
DEEP_QUEUE = QoSProfile(depth=200)
CONTROLLER_MESSAGES = {
    "trajectory_msgs/msg/JointTrajectory": JointTrajectory,
    "std_msgs/msg/Float64MultiArray": Float64MultiArray,
}
FILTER_NODE = "safety_filter"


class Tracer:
    """A node for as long as a trace runs. Use `connect_tracer()`. messages: how many were received."""

    def __init__(self, namespace: str, on_entry: Callable[[ReasoningEntry], None]) -> None:
        self.node = rclpy.create_node(
            f"vla_ros_tracer_{time.monotonic_ns() % 10**9}", namespace=check_namespace(namespace)
        )
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.hops = HopTracker()
        self.reasoning = Reasoning()
        self.messages = 0
        self._on_entry = on_entry
        subscribe = self._subscribe
        self._streams: list[tuple[Subscription, Callable[[Any, int], None]]] = [
            (subscribe(String, RELAYED), self._instruction),
            (subscribe(CameraFrames, "vla/frames"), self._frames),
            (subscribe(LatentPlan, "vla/latent_plan"), self._plan),
            (subscribe(ActionChunk, "vla/action_chunk"), self._chunk),
            (subscribe(JointCommand, "vla/joint_command"), self._command),
            (
                subscribe(JointState, "joint_states", QoSProfile(depth=200, reliability=SENSOR.reliability)),
                self._joint_state,
            ),
            (subscribe(SafetyStatus, "vla/safety_status"), self._status),
            (subscribe(String, "vla/question", LATCHED), self._question),
        ]
        self._controller: Subscription | None = None

    def _subscribe(self, kind: type, topic: str, qos: QoSProfile = DEEP_QUEUE) -> Subscription:
        return polled(self.node, kind, topic, qos)

    def spin(self, until_s: float) -> None:
        """Listen until the monotonic time `until_s`."""
        while time.monotonic() < until_s:
            if self._controller is None:
                self._find_controller()
            for subscription, handle in self._streams:
                for message, info in take(subscription):
                    self.messages += 1
                    handle(message, info["source_timestamp"])
            self.executor.spin_once(timeout_sec=0)
            time.sleep(POLL_S)

    def _find_controller(self) -> None:
        """Subscribe to what the filter publishes for its controller; arm and gripper get theirs in the same tick."""
        try:
            found = self.node.get_publisher_names_and_types_by_node(FILTER_NODE, self.node.get_namespace())
        except NodeNameNonExistentError:
            return
        for topic, kinds in found:
            kind = CONTROLLER_MESSAGES.get(kinds[0])
            if kind is not None:
                self._controller = self._subscribe(kind, topic)
                self._streams.append((self._controller, lambda _, sent_ns: self.hops.controller(sent_ns)))
                return

    def _instruction(self, message: String, sent_ns: int) -> None:
        self._note(self.reasoning.instruction(sent_ns, message.data.strip(), sent_ns))

    def _frames(self, message: CameraFrames, sent_ns: int) -> None:
        self.hops.frames(nanoseconds(message.header.stamp), sent_ns)

    def _plan(self, message: LatentPlan, sent_ns: int) -> None:
        if message.state == LatentPlan.ACTIVE:
            stamp_ns = nanoseconds(message.header.stamp)
            self.hops.plan(stamp_ns, sent_ns, message.plan_id, message.inference_time, message.subtask)
        names = ("plan_id", "instruction_id", "instruction", "subtask", "reasoning", "progress", "confidence", "policy")
        fields = {name: getattr(message, name) for name in names}
        self._note(self.reasoning.plan(sent_ns, {"state": PlanState(message.state).name, **fields}))

    def _chunk(self, message: ActionChunk, sent_ns: int) -> None:
        self.hops.chunk(nanoseconds(message.frame_stamp), sent_ns, message.chunk_id, message.inference_time)

    def _command(self, message: JointCommand, sent_ns: int) -> None:
        self.hops.setpoint(nanoseconds(message.frame_stamp), sent_ns, message.seq)

    def _joint_state(self, message: JointState, sent_ns: int) -> None:
        self.hops.joint_state(sent_ns)

    def _status(self, message: SafetyStatus, sent_ns: int) -> None:
        names = ("rule", "reason", "joint", "requested", "limit", "granted", "source")
        fields = {name: getattr(message, name) for name in names}
        self._note(self.reasoning.filter(sent_ns, {"state": State(message.state).name, **fields}))

    def _question(self, message: String, sent_ns: int) -> None:
        self._note(self.reasoning.question(sent_ns, message.data))

    def _note(self, entry: ReasoningEntry | None) -> None:
        if entry is not None:
            self._on_entry(entry)


@contextmanager
def connect_tracer(namespace: str, on_entry: Callable[[ReasoningEntry], None]) -> Iterator[Tracer]:
    """Yield a connected tracer. on_entry: called with each new line of reasoning."""
    init_command()
    made = Tracer(namespace, on_entry)
    use_real_time_scheduling(REALTIME_PRIORITY)  # a late reader loses joint states, and would report older ones
    try:
        yield made
    finally:
        made.node.destroy_node()
        rclpy.try_shutdown()
