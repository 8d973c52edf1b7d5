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
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String
from trajectory_msgs.msg import JointTrajectory

from vla_ros.msg import ActionChunk, CameraFrames, JointCommand, LatentPlan, SafetyStatus
from vla_ros.policies.contract import PlanState
from vla_ros.ros.node import LATCHED, SENSOR, nanoseconds
from vla_ros.ros.polling import polled, take
from vla_ros.safety.states import State
from vla_ros.scheduling import real_time
from vla_ros.tracing.hops import Hops
from vla_ros.tracing.reasoning import Entry, Reasoning

POLL_S = 0.02
REALTIME_PRIORITY = 1
DEEP = QoSProfile(depth=200)
CONTROLLER = {
    "trajectory_msgs/msg/JointTrajectory": JointTrajectory,
    "std_msgs/msg/Float64MultiArray": Float64MultiArray,
}
FILTER = "safety_filter"


class Tracer:
    """A node of its own for as long as a trace runs. Use `tracer()`."""

    def __init__(self, namespace: str, say: Callable[[Entry], None]) -> None:
        self.node = rclpy.create_node(f"vla_ros_tracer_{time.monotonic_ns() % 10**9}", namespace=namespace)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.hops = Hops()
        self.reasoning = Reasoning()
        self.heard = 0
        self._say = say
        subscribe = self._subscribe
        self._streams: list[tuple[Subscription, Callable[[Any, int], None]]] = [
            (subscribe(String, "task_instruction"), self._instruction),
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

    def _subscribe(self, kind: type, topic: str, qos: QoSProfile = DEEP) -> Subscription:
        return polled(self.node, kind, topic, qos)

    def spin(self, until_s: float) -> None:
        """Listen until the monotonic time `until_s`."""
        while time.monotonic() < until_s:
            if self._controller is None:
                self._find_controller()
            for subscription, see in self._streams:
                for message, info in take(subscription):
                    self.heard += 1
                    see(message, info["source_timestamp"])
            self.executor.spin_once(timeout_sec=0)
            time.sleep(POLL_S)

    def _find_controller(self) -> None:
        """The filter alone knows its controller's topic; the gripper's, sent in the same tick, would do as well."""
        try:
            found = self.node.get_publisher_names_and_types_by_node(FILTER, self.node.get_namespace())
        except NodeNameNonExistentError:
            return
        for topic, kinds in found:
            kind = CONTROLLER.get(kinds[0])
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
        said = {name: getattr(message, name) for name in names}
        self._note(self.reasoning.plan(sent_ns, {"state": PlanState(message.state).name, **said}))

    def _chunk(self, message: ActionChunk, sent_ns: int) -> None:
        self.hops.chunk(nanoseconds(message.frame_stamp), sent_ns, message.chunk_id, message.inference_time)

    def _command(self, message: JointCommand, sent_ns: int) -> None:
        self.hops.setpoint(nanoseconds(message.frame_stamp), sent_ns, message.seq)

    def _joint_state(self, message: JointState, sent_ns: int) -> None:
        self.hops.joint_state(sent_ns)

    def _status(self, message: SafetyStatus, sent_ns: int) -> None:
        names = ("rule", "reason", "joint", "requested", "limit", "granted", "source")
        said = {name: getattr(message, name) for name in names}
        self._note(self.reasoning.filter(sent_ns, {"state": State(message.state).name, **said}))

    def _question(self, message: String, sent_ns: int) -> None:
        self._note(self.reasoning.question(sent_ns, message.data))

    def _note(self, entry: Entry | None) -> None:
        if entry is not None:
            self._say(entry)


@contextmanager
def tracer(namespace: str, say: Callable[[Entry], None]) -> Iterator[Tracer]:
    """A connected tracer. say: called with each new line of reasoning."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    made = Tracer(namespace, say)
    real_time(REALTIME_PRIORITY)  # who is late loses joint states, and then calls them old
    try:
        yield made
    finally:
        made.node.destroy_node()
        rclpy.try_shutdown()
