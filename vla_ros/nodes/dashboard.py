"""dashboard: shows the graph on a page for browsers, and sends a viewer's actions into the graph.

One loop at the page's rate takes the messages that have arrived and updates the page. The server's thread only reads the
newest document, so nothing that a browser does, or fails to do, reaches the graph, except for the six actions.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker, MarkerArray

from vla_ros.dashboard import (
    Arm,
    CameraImage,
    DashboardParameters,
    DashboardServer,
    FaultGuard,
    FilterStatus,
    LatestDocument,
    MarkerShape,
    MarkerStore,
    NodeReport,
    PlanSummary,
    Scene3D,
    UpdateStatistics,
    ViewModel,
    own_node_name,
    stored_token,
)
from vla_ros.dashboard.routes import ACTIONS
from vla_ros.msg import ActionChunk, CameraFrames, JointCommand, LatentPlan, SafetyStatus
from vla_ros.policies.contract import PlanState
from vla_ros.robot.meshes import mesh_folders
from vla_ros.ros.convert import frames_from
from vla_ros.ros.diagnostics import OK, WARN, Diagnostics
from vla_ros.ros.instruction_relay import instruction_nodes_matched
from vla_ros.ros.node import run, steady_timer
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import EVENTS, LATCHED, NEWEST
from vla_ros.ros.robot_description import wait_for_urdf
from vla_ros.ros.stamps import nanoseconds
from vla_ros.safety.states import State
from vla_ros.time import NS_PER_S

FAST_TOPIC = QoSProfile(depth=2, reliability=ReliabilityPolicy.BEST_EFFORT)
"""For what is sent a hundred times a second: its senders must not wait for a dashboard that hangs."""
SERVICE_TIMEOUT_S = 1.5
IMAGE_PERIOD_TOLERANCE = 0.9
"""Images are taken from this share of their period on: the loop's own period is not exact."""
MARKER_KINDS = {
    Marker.CUBE: "box",
    Marker.SPHERE: "sphere",
    Marker.CYLINDER: "cylinder",
    Marker.LINE_LIST: "lines",
    Marker.LINE_STRIP: "path",
    Marker.ARROW: "arrow",
    Marker.TEXT_VIEW_FACING: "text",
}


class Dashboard(Node):
    """See docs/dashboard.md."""

    def __init__(self) -> None:
        super().__init__("dashboard")
        self.parameters = p = declare_parameters(self, DashboardParameters)
        self.namespace = self.get_namespace().rstrip("/")
        arm = Arm(wait_for_urdf(self, p.urdf), p.joint_names, p.tool_frame, mesh_folders(p.mesh_folders, p.urdf))
        self.view_model = ViewModel(p, arm, f"{time.time_ns():x}", time.monotonic_ns(), self.namespace)
        self.latest = LatestDocument()
        self.marker_store = MarkerStore()
        self.images_ns = 0
        self.joint_states = polled(self, JointState, "joint_states", FAST_TOPIC)
        self.commands = polled(self, JointCommand, "vla/joint_command", FAST_TOPIC)
        self.chunks = polled(self, ActionChunk, "vla/action_chunk", FAST_TOPIC)
        self.frames = polled(self, CameraFrames, "vla/frames", NEWEST)
        self.markers = polled(self, MarkerArray, "vla/safety_markers", NEWEST)
        self.plans = polled(self, LatentPlan, "vla/latent_plan", NEWEST)
        self.statuses = polled(self, SafetyStatus, "vla/safety_status", EVENTS)
        self.questions = polled(self, String, "vla/question", LATCHED)
        self.reports = polled(self, DiagnosticArray, "/diagnostics", QoSProfile(depth=30))
        self.instructions = self.create_publisher(String, "task_instruction", NEWEST)
        self.triggers = {name: self.create_client(Trigger, f"vla/{name}") for name in ACTIONS if name != "say"}
        self.statistics = UpdateStatistics(p.rate_hz)
        self.guard = FaultGuard(self.get_logger().error)
        steady_timer(self, 1.0 / p.rate_hz, self.update)
        self.diagnostics = Diagnostics(self, self.report)
        self.scene = Scene3D(arm)
        missing = dict.fromkeys(arm.missing_meshes)
        self.incomplete = [f"not drawn, for they cannot be read: {', '.join(missing)}"] if missing else []
        for line in self.incomplete:
            self.get_logger().warning(line)
        token = p.token or ("" if p.local else stored_token())
        self.server = DashboardServer(
            p, token, self.latest, self.view_model.history.rows, self.act, self.scene.port, self.namespace
        )
        print(f"dashboard{f' of {self.namespace}' if self.namespace else ''}: {self.server.address}", flush=True)

    def destroy_node(self) -> None:
        """End serving, then the node."""
        self.server.close()
        self.scene.stop()
        super().destroy_node()

    def update(self) -> None:
        """Take the messages that have arrived and update the page."""
        now_ns, wall_s, ros_ns = time.monotonic_ns(), time.time(), self.get_clock().now().nanoseconds
        self.statistics.begin(now_ns)
        view, receive = self.view_model, self._receive
        receive(self.joint_states, lambda m: view.on_joint_state(now_ns, m.name, m.position))
        receive(
            self.commands, lambda m: view.on_command(now_ns, nanoseconds(m.header.stamp), m.joint_names, m.positions)
        )
        receive(self.chunks, lambda m: view.on_chunk(now_ns, m.trajectory.joint_names, _rows(m)), newest=True)
        # Plans first: the end of a task is why the filter brakes after it.
        receive(self.plans, lambda m: view.on_plan(now_ns, wall_s, _plan(m)), newest=True)
        receive(self.statuses, lambda m: view.on_status(now_ns, wall_s, _status(m)))
        receive(self.questions, lambda m: view.on_question(wall_s, m.data), newest=True)
        receive(self.reports, lambda m: self._on_reports(m, now_ns, wall_s))
        if self._images_are_due(now_ns):
            receive(self.frames, lambda m: self._on_frames(m, now_ns, ros_ns), newest=True)
        receive(self.markers, lambda m: self._on_markers(m, now_ns), newest=True)
        with self.guard.skip_on_error("the 3D view"):
            self._draw(now_ns)
        with self.guard.skip_on_error("the document"):
            self.latest.publish(view.document(now_ns, ros_ns, wall_s))
        self.statistics.end(now_ns, time.monotonic_ns())

    def act(self, name: str, instruction: str) -> tuple[bool, str]:
        """Carry out what a viewer asks for; called by threads of the server.

        Args:
            name: of `vla_ros.dashboard.routes.ACTIONS`. instruction: for "say".

        Returns:
            Whether it was done, and the result in words.
        """
        if name == "say":
            return self._instruct(instruction.strip())
        trigger = self.triggers[name]
        who = "planner" if name == "continue" else "safety filter"
        no_answer = f"the {who} does not answer" + (": use the robot's own e-stop" if name == "estop" else "")
        if not trigger.service_is_ready():
            return False, no_answer
        answered = threading.Event()
        future = trigger.call_async(Trigger.Request())
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(SERVICE_TIMEOUT_S):
            trigger.remove_pending_request(future)
            return False, no_answer
        answer = future.result()
        outlook = self.view_model.outlook if answer.success and name in ("arm", "reset") else ""
        return answer.success, f"{answer.message}; {outlook}" if outlook else answer.message

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """Return level, message and values for /diagnostics."""
        values = {
            **self.statistics.values(),
            "viewers": self.latest.viewers(),
            "skipped": self.guard.skipped,
        }
        reasons = [*self.guard.take(), *self.incomplete]
        if self.statistics.late:
            reasons.append("the page is renewed late")
        return WARN if reasons else OK, "; ".join(reasons) or "running", values

    def _receive(self, subscription: Subscription, handle: Callable[[Any], None], newest: bool = False) -> None:
        """Hand on the messages that have arrived, or only the newest; a message that does not fit is skipped."""
        messages: list[Any] = []
        with self.guard.skip_on_error(subscription.topic_name):
            messages += (message for message, _ in take(subscription))
        for message in messages[-1:] if newest else messages:
            with self.guard.skip_on_error(subscription.topic_name):
                handle(message)

    def _images_are_due(self, now_ns: int) -> bool:
        """Whether somebody looks, and the period of the images has passed: JPEGs cost the most."""
        rate_hz = self.parameters.image_rate_hz
        if not rate_hz or not self.latest.viewers():
            return False
        return now_ns - self.images_ns >= IMAGE_PERIOD_TOLERANCE * NS_PER_S / rate_hz

    def _on_reports(self, message: DiagnosticArray, now_ns: int, wall_s: float) -> None:
        for status in message.status:
            name = own_node_name(status.name, self.namespace)
            if name:
                values = {pair.key: pair.value for pair in status.values}
                report = NodeReport(name, int.from_bytes(status.level, "little"), status.message, values)
                self.view_model.on_report(now_ns, wall_s, report)

    def _on_frames(self, message: CameraFrames, now_ns: int, ros_ns: int) -> None:
        self.images_ns = now_ns
        self.view_model.on_images(now_ns, ros_ns, nanoseconds(message.header.stamp), _images(message))

    def _on_markers(self, message: MarkerArray, now_ns: int) -> None:
        for marker in message.markers:
            key = f"{marker.ns or 'marker'}/{marker.id}"
            if marker.action == Marker.DELETEALL:
                self.marker_store.clear()
            elif marker.action == Marker.DELETE:
                self.marker_store.remove(key)
            elif marker.type in MARKER_KINDS and marker.header.frame_id in ("", self.view_model.arm.base):
                self.marker_store.put(_marker_shape(key, marker, now_ns))

    def _draw(self, now_ns: int) -> None:
        view = self.view_model
        proposed = view.chunk[-1].tolist() if view.is_proposed(now_ns) else None
        self.scene.draw(view.q, proposed, view.tool_path, view.waypoints(now_ns), self.marker_store.alive(now_ns))

    def _instruct(self, instruction: str) -> tuple[bool, str]:
        """Publish an instruction; empty: hold."""
        heard = instruction_nodes_matched(self, self.instructions)
        # In any case: the action expert holds the arm for a new instruction, also without a planner.
        self.instructions.publish(String(data=instruction))
        if not heard:
            return False, "planner and action expert do not both listen"
        return True, f"asked: {instruction}" if instruction else "asked to hold"


def _rows(message: ActionChunk) -> list[Sequence[float]]:
    return [point.positions for point in message.trajectory.points]


def _status(message: SafetyStatus) -> FilterStatus:
    return FilterStatus(
        state=State(message.state).name,
        rule=message.rule,
        reason=message.reason,
        source=message.source,
        joint=message.joint,
        requested=message.requested,
        limit=message.limit,
        granted=message.granted,
        joint_names=message.joint_names,
        positions=message.positions,
        velocities=message.velocities,
        position_margins=message.position_margins,
        velocity_margins=message.velocity_margins,
        command_age_s=message.command_age,
        joint_state_age_s=message.joint_state_age,
        frame_age_s=message.frame_age,
        accepted=message.accepted,
        rejected=message.rejected,
        limited=message.limited,
    )


def _plan(message: LatentPlan) -> PlanSummary:
    points = [(pose.position.x, pose.position.y, pose.position.z) for pose in message.waypoints]
    return PlanSummary(
        state=PlanState(message.state).name,
        instruction=message.instruction,
        instruction_id=message.instruction_id,
        subtask=message.subtask,
        reasoning=message.reasoning,
        progress=message.progress,
        confidence=message.confidence,
        policy=message.policy,
        stamp_ns=nanoseconds(message.header.stamp),
        valid_for_s=nanoseconds(message.valid_for) / NS_PER_S,
        inference_s=message.inference_time,
        waypoints=np.reshape(np.array(points, np.float64), (-1, 3)),
    )


def _images(message: CameraFrames) -> list[CameraImage]:
    views = frames_from(message).views
    return [
        CameraImage(name, frame_id, view.image, view.k, view.health.name.replace("_", " ").lower(), nanoseconds(stamp))
        for (name, view), frame_id, stamp in zip(views.items(), message.frame_ids, message.stamps, strict=True)
    ]


def _marker_shape(key: str, marker: Marker, now_ns: int) -> MarkerShape:
    position, quaternion = marker.pose.position, marker.pose.orientation
    size, colour = marker.scale, marker.color
    lifetime_ns = nanoseconds(marker.lifetime)
    return MarkerShape(
        key=key,
        kind=MARKER_KINDS[marker.type],
        position=(position.x, position.y, position.z),
        quaternion=(quaternion.x, quaternion.y, quaternion.z, quaternion.w),
        size=(size.x, size.y, size.z),
        points=tuple((point.x, point.y, point.z) for point in marker.points),
        colour=(colour.r, colour.g, colour.b, colour.a),
        text=marker.text,
        until_ns=now_ns + lifetime_ns if lifetime_ns else 0,
    )


def main() -> None:
    """Entry point of the executable."""
    sys.exit(run("dashboard", Dashboard))


if __name__ == "__main__":
    main()
