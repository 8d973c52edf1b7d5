"""dashboard: what the graph says, on a page for browsers; what a viewer asks for, into the graph.

One loop at the page's rate polls what has arrived and renews the page; browsers are served by threads that only ever read
the newest page, so that nothing that a browser does, or fails to do, reaches the graph, but for the five actions.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
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

from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.board import Board
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.feed import Feed
from vla_ros.dashboard.scene import Scene
from vla_ros.dashboard.secret import kept_token
from vla_ros.dashboard.server import Pages
from vla_ros.dashboard.sightings import (
    CameraImage,
    FilterStatus,
    NodeReport,
    PlanWords,
    Shape,
)
from vla_ros.msg import ActionChunk, CameraFrames, JointCommand, LatentPlan, SafetyStatus
from vla_ros.policies.contract import PlanState
from vla_ros.ros.convert import frames_from
from vla_ros.ros.diagnostics import OK, WARN, Diagnostics
from vla_ros.ros.discovery import instruction_nodes_matched
from vla_ros.ros.node import run, steady_timer
from vla_ros.ros.parameters import declare_parameters
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import EVENTS, LATCHED, NEWEST
from vla_ros.ros.robot_description import wait_for_urdf
from vla_ros.ros.stamps import nanoseconds
from vla_ros.safety.states import State
from vla_ros.time import Rate, Window

GLANCE = QoSProfile(depth=2, reliability=ReliabilityPolicy.BEST_EFFORT)
"""A dashboard that hangs must not be waited for by those who send a hundred times a second."""
ANSWER_S = 1.5
KINDS = {
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
        self.board = Board(p, self._arm(), f"{time.time_ns():x}", time.monotonic_ns(), self.namespace)
        self.feed = Feed()
        self.shapes: dict[str, Shape] = {}
        self.images_ns = 0
        self.joint_states = polled(self, JointState, "joint_states", GLANCE)
        self.commands = polled(self, JointCommand, "vla/joint_command", GLANCE)
        self.chunks = polled(self, ActionChunk, "vla/action_chunk", GLANCE)
        self.frames = polled(self, CameraFrames, "vla/frames", NEWEST)
        self.markers = polled(self, MarkerArray, "vla/safety_markers", NEWEST)
        self.plans = polled(self, LatentPlan, "vla/latent_plan", NEWEST)
        self.statuses = polled(self, SafetyStatus, "vla/safety_status", EVENTS)
        self.questions = polled(self, String, "vla/question", LATCHED)
        self.reports = polled(self, DiagnosticArray, "/diagnostics", QoSProfile(depth=30))
        self.words = self.create_publisher(String, "task_instruction", NEWEST)
        self.triggers = {
            name: self.create_client(Trigger, f"vla/{name}") for name in ("estop", "arm", "disarm", "reset")
        }
        self.rate = Rate(1.0 / p.rate_hz, 0.5 / p.rate_hz, 200)
        self.busy = Window(200)
        self.spent = time.process_time(), time.monotonic()
        self.skipped = 0
        self.faults: dict[str, str] = {}
        self.logged: set[str] = set()
        steady_timer(self, 1.0 / p.rate_hz, self.tick)
        self.diagnostics = Diagnostics(self, self.report)
        self.scene = Scene(self.board.arm)
        missing = dict.fromkeys(self.board.arm.missing)
        self.incomplete = [f"not drawn, for they cannot be read: {', '.join(missing)}"] if missing else []
        for line in self.incomplete:
            self.get_logger().warning(line)
        token = p.token or ("" if p.local else kept_token())
        self.pages = Pages(p, token, self.feed, self.board.history.rows, self.act, self.scene.port, self.namespace)
        print(f"dashboard{f' of {self.namespace}' if self.namespace else ''}: {self.pages.address}", flush=True)

    def _arm(self) -> Arm:
        p = self.parameters
        return Arm(wait_for_urdf(self, p.urdf), p.joint_names, p.tool_frame)

    def destroy_node(self) -> None:
        self.pages.close()
        self.scene.stop()
        super().destroy_node()

    def tick(self) -> None:
        """Take what has arrived and renew the page."""
        now_ns, wall_s, ros_ns = time.monotonic_ns(), time.time(), self.get_clock().now().nanoseconds
        self.rate.tick(now_ns)
        board, hear = self.board, self._hear
        hear(self.joint_states, lambda m: board.see_joint_state(now_ns, m.name, m.position), newest=True)
        hear(
            self.commands, lambda m: board.see_command(now_ns, nanoseconds(m.header.stamp), m.joint_names, m.positions)
        )
        hear(self.chunks, lambda m: board.see_chunk(now_ns, m.trajectory.joint_names, _rows(m)), newest=True)
        hear(self.statuses, lambda m: board.see_status(now_ns, wall_s, _status(m)))
        hear(self.plans, lambda m: board.see_plan(now_ns, wall_s, _plan(m)), newest=True)
        hear(self.questions, lambda m: board.see_question(wall_s, m.data), newest=True)
        hear(self.reports, lambda m: self._see_reports(m, now_ns, wall_s))
        watched = self.feed.readers() > 0
        if (
            watched
            and self.parameters.image_rate_hz
            and now_ns - self.images_ns >= 0.9e9 / self.parameters.image_rate_hz
        ):
            hear(self.frames, lambda m: self._see_frames(m, now_ns, ros_ns), newest=True)
        hear(self.markers, lambda m: self._see_markers(m, now_ns), newest=True)
        with self._spared("the 3D view"):
            self._draw(now_ns)
        with self._spared("the document"):
            self.feed.put(board.document(now_ns, ros_ns, wall_s))
        self.busy.add((time.monotonic_ns() - now_ns) / 1e9)

    def _hear(self, subscription: Subscription, see: Callable[[Any], None], newest: bool = False) -> None:
        """Hand on what has arrived, or the newest of it; a message that does not fit is skipped."""
        messages: list[Any] = []
        with self._spared(subscription.topic_name):
            messages += (message for message, _ in take(subscription))
        for message in messages[-1:] if newest else messages:
            with self._spared(subscription.topic_name):
                see(message)

    @contextlib.contextmanager
    def _spared(self, what: str) -> Iterator[None]:
        """Skip the rest of what fails, and say so: it must not end the process that holds the STOP."""
        try:
            yield
        except Exception as error:
            self.skipped += 1
            self.faults[what] = f"skipped: {what} ({type(error).__name__}: {error})"
            if what not in self.logged:
                self.logged.add(what)
                self.get_logger().error(self.faults[what])

    def _draw(self, now_ns: int) -> None:
        board = self.board
        alive = [shape for shape in self.shapes.values() if not 0 < shape.until_ns < now_ns]
        self.shapes = {shape.key: shape for shape in alive}
        proposed = board.chunk[-1].tolist() if board.proposed(now_ns) else None
        self.scene.draw(board.q, proposed, board.tool_path, board.waypoints(now_ns), alive)

    def _see_reports(self, message: DiagnosticArray, now_ns: int, wall_s: float) -> None:
        """Those of this arm's own nodes: /diagnostics is shared by all arms."""
        home = f"{self.namespace}/"
        for status in message.status:
            name = status.name.removeprefix(home)
            if status.name.startswith(home) and "/" not in name:
                values = {pair.key: pair.value for pair in status.values}
                report = NodeReport(name, int.from_bytes(status.level, "little"), status.message, values)
                self.board.see_report(now_ns, wall_s, report)

    def _see_frames(self, message: CameraFrames, now_ns: int, ros_ns: int) -> None:
        self.images_ns = now_ns
        self.board.see_images(now_ns, ros_ns, nanoseconds(message.header.stamp), _images(message))

    def _see_markers(self, message: MarkerArray, now_ns: int) -> None:
        for marker in message.markers:
            key = f"{marker.ns or 'marker'}/{marker.id}"
            if marker.action == Marker.DELETEALL:
                self.shapes.clear()
            elif marker.action == Marker.DELETE:
                self.shapes.pop(key, None)
            elif marker.type in KINDS and marker.header.frame_id in ("", self.board.arm.base):
                self.shapes[key] = _shape(key, marker, now_ns)

    def act(self, name: str, words: str) -> tuple[bool, str]:
        """Do what a viewer asks for; called by the threads that serve browsers."""
        if name == "say":
            return self._say(words.strip())
        trigger = self.triggers[name]
        lost = "the safety filter does not answer" + (": use the robot's own e-stop" if name == "estop" else "")
        if not trigger.service_is_ready():
            return False, lost
        answered = threading.Event()
        future = trigger.call_async(Trigger.Request())
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(ANSWER_S):
            trigger.remove_pending_request(future)
            return False, lost
        answer = future.result()
        return answer.success, answer.message

    def _say(self, words: str) -> tuple[bool, str]:
        heard = instruction_nodes_matched(self, self.words)
        self.words.publish(String(data=words))  # in any case: of the two, either one holds the arm for a new sentence
        if not heard:
            return False, "planner and action expert do not both listen"
        return True, f"asked: {words}" if words else "asked to hold"

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """For /diagnostics."""
        errors, busy = self.rate.errors(), self.busy.summary()
        late = busy.p95 > 0.5 / self.parameters.rate_hz
        before, self.spent = self.spent, (time.process_time(), time.monotonic())
        values: dict[str, object] = {
            "rate_hz": self.rate.hz,
            "deadline_misses": self.rate.misses,
            "period_error_p95_ms": errors.p95 * 1e3,
            "renewal_p95_ms": busy.p95 * 1e3,
            "viewers": self.feed.readers(),
            "skipped": self.skipped,
            "cpu_percent": 100 * (self.spent[0] - before[0]) / (self.spent[1] - before[1]),
        }
        why = [*self.faults.values(), *self.incomplete]
        if late:
            why.append("the page is renewed late")
        self.faults = {}
        return WARN if why else OK, "; ".join(why) or "running", values


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


def _plan(message: LatentPlan) -> PlanWords:
    points = [(pose.position.x, pose.position.y, pose.position.z) for pose in message.waypoints]
    return PlanWords(
        state=PlanState(message.state).name,
        instruction=message.instruction,
        instruction_id=message.instruction_id,
        subtask=message.subtask,
        reasoning=message.reasoning,
        progress=message.progress,
        confidence=message.confidence,
        policy=message.policy,
        stamp_ns=nanoseconds(message.header.stamp),
        valid_for_s=nanoseconds(message.valid_for) / 1e9,
        inference_s=message.inference_time,
        waypoints=np.reshape(np.array(points, np.float64), (-1, 3)),
    )


def _images(message: CameraFrames) -> list[CameraImage]:
    views = frames_from(message, {}).views
    return [
        CameraImage(name, frame_id, view.image, view.k, view.health.name.replace("_", " ").lower(), nanoseconds(stamp))
        for (name, view), frame_id, stamp in zip(views.items(), message.frame_ids, message.stamps, strict=True)
    ]


def _shape(key: str, marker: Marker, now_ns: int) -> Shape:
    at, turn, size, colour = marker.pose.position, marker.pose.orientation, marker.scale, marker.color
    lifetime_ns = nanoseconds(marker.lifetime)
    return Shape(
        key=key,
        kind=KINDS[marker.type],
        position=(at.x, at.y, at.z),
        quaternion=(turn.x, turn.y, turn.z, turn.w),
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
