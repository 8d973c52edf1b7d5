"""System 2: the newest frames, the instruction and the joint state become a plan."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState as JointStateMessage
from std_msgs.msg import String
from std_srvs.srv import Trigger

from vla_ros.bringup.node_parameters import VLM, System2Options, policy_options
from vla_ros.control.measured_joints import MeasuredJoints
from vla_ros.control.planner import (
    JOINT_STATES,
    LOGGED,
    AnswerOutput,
    Level,
    LogOutput,
    PlannerCore,
    PlanOutput,
    QuestionOutput,
)
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.guard import AS_SAID, Guard, load_prompt, load_rules
from vla_ros.language.reader import InstructionReader
from vla_ros.monitors import Monitors
from vla_ros.msg import CameraFrames, LatentPlan, SafetyStatus
from vla_ros.perception.camera_mounts import CameraMounts
from vla_ros.policies.contract import Plan, SharingSystem2, System2
from vla_ros.policies.latents import LatentLost, LatentWriter
from vla_ros.policies.registry import Robot, system2
from vla_ros.policies.stepwise import interpreter_of, stepwise
from vla_ros.policies.tool_path import with_tool_path
from vla_ros.robot.base_frame import camera_poses_in_root
from vla_ros.robot.kinematics import Kinematics
from vla_ros.robot.link_poses import LinkPoses
from vla_ros.robot.urdf import continuous_joints, root_link
from vla_ros.ros.convert import frames_from, plan_message
from vla_ros.ros.diagnostics import ERROR, Diagnostics
from vla_ros.ros.discovery import readers_on_this_host, several_publishers, unmatched_publishers
from vla_ros.ros.instruction_relay import RELAYED
from vla_ros.ros.lifecycle import ManagedNode, autostart
from vla_ros.ros.node import run, steady_timer
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import polled, received_ns, take
from vla_ros.ros.qos import LATCHED, NEWEST
from vla_ros.ros.robot_description import wait_for_urdf
from vla_ros.ros.senders import take_serialized
from vla_ros.ros.stamps import nanoseconds
from vla_ros.ros.tf_poses import TfPoses
from vla_ros.scheduling import raise_priority
from vla_ros.time import NS_PER_S, Window

TOPICS = {
    "vla/frames": "vla_ros/msg/CameraFrames",
    "joint_states": "sensor_msgs/msg/JointState",
}
JOINTS_TIMEOUT_S = 1.0
"""No plan is made with joints that were silent for longer."""
LONGEST_JOINT_STATE = 16_384
"""Bytes, as the safety filter reads them."""
TICK_S = 0.2
REPORT_S = 0.2


class Planner(ManagedNode):
    """Thin: converts messages for the core, calls the policy, publishes. No backlog: only the newest frames are kept."""

    def __init__(self) -> None:
        super().__init__("planner")
        self.parameters = declare_parameters(self, PlannerParameters)
        foreign = policy_options("planner", self.parameters.policy)
        self.options = getattr(
            declare_parameters(self, foreign) if foreign else self.parameters, self.parameters.policy
        )
        self.root = ""  # known with the URDF, as are the poses
        self.camera_poses: dict[str, NDArray[np.float64]] = {}
        self.camera_mounts = CameraMounts({}, {})
        self.vlm = declare_parameters(self, System2Options).vlm if self.parameters.system2 == VLM else None
        self.guard, self.prompt = Guard(load_rules(self.parameters.guard.rules)), load_prompt(self.parameters.prompt)
        monitors = Monitors(self.parameters.monitors, self.parameters.joint_names)
        # A VLM reads an instruction as it was said; its subtasks are written as the policy underneath reads them.
        self.core = PlannerCore(self.parameters, self.guard, AS_SAID if self.vlm else self.prompt, monitors)
        self.system2: System2 | None = None
        self.kinematics: Kinematics | None = None
        self.end_vlm: Callable[[], None] = lambda: None
        self.vlm_report: Callable[[], Mapping[str, object]] = dict
        self.shared_memory: LatentWriter | None = None
        self.memories = 0
        self.inference, self.frame_age = Window(200), Window(200)
        self.plan_publisher = self.create_publisher(LatentPlan, "vla/latent_plan", NEWEST)
        self.waypoint_publisher = self.create_publisher(Path, "vla/waypoints", NEWEST)
        self.question_publisher = self.create_publisher(String, "vla/question", LATCHED)
        self.answer_publisher = self.create_publisher(String, "vla/answer", LATCHED)
        on_instruction: Callable[..., None] = (
            self.on_instruction
        )  # rclpy's annotation does not know of the message info
        self.create_subscription(String, RELAYED, on_instruction, NEWEST)
        self.create_subscription(CameraFrames, "vla/frames", self.on_frames, NEWEST)
        # 250 Hz of joint states are polled when a plan is made: an executor would spend more on them than on planning.
        qos = QoSProfile(depth=JOINT_STATES, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.joint_states = polled(self, JointStateMessage, "joint_states", qos)
        self.joints, self.heard_ns = MeasuredJoints(self.parameters.joint_names, JOINTS_TIMEOUT_S), time.monotonic_ns()
        self.statuses = polled(self, SafetyStatus, "vla/safety_status", QoSProfile(depth=50))
        self.create_service(Trigger, "vla/continue", self.on_continue)
        steady_timer(self, TICK_S, self.tick)
        # More often than others, so that people see within a second that it is gone.
        self.diagnostics = Diagnostics(self, self.report, REPORT_S)

    # Lifecycle.

    def configure(self) -> None:
        name, joint_names = self.parameters.policy, self.parameters.joint_names
        options = dataclasses.asdict(self.options)
        urdf = wait_for_urdf(self, self.parameters.urdf)
        p = self.parameters
        self.root = root_link(urdf)
        self.camera_poses = camera_poses_in_root(urdf, p.base_frame, p.cameras, p.camera_poses, "planner.base_frame")
        self.joints = MeasuredJoints(joint_names, JOINTS_TIMEOUT_S, continuous_joints(urdf))
        robot = Robot(urdf, tuple(joint_names), self.parameters.tool_frame, tuple(self.parameters.camera_names))
        try:
            self.kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        except (ValueError, RuntimeError):  # a policy may do without; then paths of joint positions are not drawn
            self.kinematics = None
        self.system2 = system2(name, robot, options)
        if isinstance(self.system2, SharingSystem2):
            self.system2.use_memory(self.new_array)
        language, render = self.parameters.language, self.prompt.render
        self.system2 = stepwise(self.system2, InstructionReader.of(language), language.for_every_policy, render)
        reads = interpreter_of(self.system2)
        self.core.interpreter = reads if self.vlm is None else None
        if self.vlm is not None:
            from vla_ros.policies.vlm.system2 import VlmSystem2

            vlm = VlmSystem2(
                self.system2, robot, self.options, self.vlm, self.guard.refusal, render if reads is None else str
            )
            self.system2, self.end_vlm, self.vlm_report = vlm, vlm.close, vlm.report
        brought = getattr(self.system2, "statistics", None)
        self.core.monitors = Monitors.for_policy(self.parameters.monitors, joint_names, brought)
        self.core.checkpoint = self.system2.checkpoint
        self.camera_mounts = self.mounts(urdf)

    def mounts(self, urdf: str) -> CameraMounts:
        """Return where the cameras are; raises ParameterError where nobody knows a link that is named."""
        try:
            links = LinkPoses(urdf, self.parameters.joint_names)
        except ValueError:
            links = None
        transform_at = TfPoses(self, self.root).pose if TfPoses.available() else None
        return CameraMounts.of_arm(self.camera_poses, self.parameters.mounted_cameras, links, transform_at)

    def release(self) -> None:
        self.end_vlm()
        self.system2, self.core.checkpoint = None, ""
        self.release_shared_memory()

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.core.on_activate()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.core.on_deactivate()
        self.publish_outputs()
        return super().on_deactivate(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.core.active = False
        return super().on_shutdown(state)

    # What comes in.

    def on_instruction(self, message: String, info: Mapping[str, int]) -> None:
        """A new instruction: served with the frames at hand."""
        self.hear_filter()
        self.core.on_instruction(info["source_timestamp"], message.data)
        self.publish_outputs()
        self.plan_when_due()

    def on_continue(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Somebody wants the task to go on that a stop has ended."""
        self.hear_filter()
        response.success, response.message = self.core.on_continue(time.time_ns())
        self.publish_outputs()
        self.plan_when_due()
        return response

    def on_frames(self, message: CameraFrames) -> None:
        """A new set of frames: the moment to plan. Of two who send frames, neither is believed."""
        self.core.refuse_frames(several_publishers(self, "vla/frames"))
        if self.core.frames_refused:
            self.publish_outputs()
            return
        self.core.on_frames(frames_from(message), time.monotonic_ns())
        self.plan_when_due()

    def tick(self) -> None:
        """Hear the filter; let the core ask people, and hold without frames."""
        self.hear_filter()
        self.core.tick(time.monotonic_ns())
        self.publish_outputs()

    def hear_filter(self) -> None:
        """Tell the core what the filter has said."""
        for message, _ in take(self.statuses):
            stamp_ns = nanoseconds(message.header.stamp)
            self.core.on_stops(message.state, message.stops, message.reason)
            self.core.on_safety_status(stamp_ns, message.state, message.source, message.joint_names, message.positions)

    def hear_joints(self) -> None:
        """Tell the core where the joints were, stamped by this node's clock when they were received."""
        began_ns = time.monotonic_ns()
        ahead_ns = self.get_clock().now().nanoseconds - began_ns
        for received in take_serialized(self.joint_states, JOINT_STATES, LONGEST_JOINT_STATE):
            if received.data is None:
                continue
            message = deserialize_message(received.data, JointStateMessage)
            receive_ns = received_ns(received.received_ns, time.monotonic_ns(), time.time_ns(), self.heard_ns)
            stamp_ns = nanoseconds(message.header.stamp)
            self.joints.add(
                receive_ns, stamp_ns, received.gid, message.name, message.position.tolist(), message.velocity.tolist()
            )
            state = self.joints.newest(receive_ns, ahead_ns)
            if state is not None:
                self.core.on_joint_state(state.stamp_ns, state)
        self.heard_ns = began_ns
        if self.joints.newest(began_ns, ahead_ns) is None:
            self.core.on_joint_state(began_ns + ahead_ns, None)

    # What goes out.

    def plan_when_due(self) -> None:
        """Call the policy, if the core wants a plan now."""
        self.hear_filter()
        if not self.core.due(time.monotonic_ns()):
            return
        self.hear_joints()
        began_ns = time.monotonic_ns()
        request = self.core.request(began_ns)
        if request is not None:
            assert self.system2 is not None
            frames = self.camera_mounts.placed(request.frames, self.core.joints_at)
            try:
                plan = self.system2.plan(*request._replace(frames=frames))
                self.core.on_plan(plan, time.monotonic_ns())
            except Exception as error:  # a policy's fault must not take the node down: it is said, and the arm holds
                self.core.on_policy_error(error, time.monotonic_ns())
            self.inference.add((time.monotonic_ns() - began_ns) / NS_PER_S)
            self.frame_age.add((self.get_clock().now().nanoseconds - request.frames.stamp_ns) / NS_PER_S)
        self.publish_outputs()

    def publish_outputs(self) -> None:
        """Publish and log what the core has to say, in its order."""
        for output in self.core.take_outputs():
            match output:
                case PlanOutput(plan, inference_s):
                    self.publish_plan(plan, inference_s)
                case QuestionOutput(text):
                    self.question_publisher.publish(String(data=text))
                case AnswerOutput(text):
                    self.answer_publisher.publish(String(data=text))
                case LogOutput(level, text):
                    self.log(level, text)

    def log(self, level: Level, text: str) -> None:
        """Write a line; each level from a place of its own, which rclpy insists on."""
        if level is Level.ERROR:
            self.get_logger().error(text)
        elif level is Level.WARN:
            self.get_logger().warning(text)
        else:
            self.get_logger().info(text)

    def publish_plan(self, plan: Plan, inference_s: float) -> None:
        """Publish a plan, and its path for RViz where somebody looks."""
        if self.kinematics is not None:
            plan = with_tool_path(plan, self.kinematics)
        writer = self.writer_for(plan.data.nbytes)
        arguments = plan, self.parameters.policy, self.root, inference_s
        try:
            message = plan_message(*arguments, writer)
        except LatentLost:  # slow readers use all blocks
            message = plan_message(*arguments)
        self.plan_publisher.publish(message)
        if self.waypoint_publisher.get_subscription_count():
            poses = [PoseStamped(header=message.header, pose=pose) for pose in message.waypoints]
            self.waypoint_publisher.publish(Path(header=message.header, poses=poses))

    def new_array(self, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[np.generic]:
        """Return an array for a plan's data: in shared memory, where that is how the plan will go."""
        writer = self.writer_for(dtype.itemsize * int(np.prod(shape, dtype=np.int64)))
        with contextlib.suppress(LatentLost):  # slow readers use all blocks
            if writer is not None:
                return writer.empty(shape, dtype)
        return np.empty(shape, dtype)

    def writer_for(self, size: int) -> LatentWriter | None:
        """Return the shared memory for a plan of `size` bytes; None when they are to travel in the message."""
        least = self.parameters.shared_memory_bytes
        if not least or size < least or not readers_on_this_host(self, self.plan_publisher):
            return None
        if self.shared_memory is None or size > self.shared_memory.capacity:
            self.release_shared_memory()
            self.memories += 1
            self.shared_memory = LatentWriter(f"vla_ros_{os.getpid()}_{self.memories}", size)
        return self.shared_memory

    def release_shared_memory(self) -> None:
        """Remove the shared memory; a reader that comes too late drops its plan."""
        if self.shared_memory is not None:
            self.shared_memory.close()
            self.shared_memory = None

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """For /diagnostics."""
        level, explanation = self.core.report(time.monotonic_ns())
        inference = self.inference.summary()
        values: dict[str, object] = {
            **self.core.rate.values(),
            "plans": self.core.plans,
            "inference_p50_ms": 1e3 * inference.p50,
            "inference_p99_ms": 1e3 * inference.p99,
            "frame_to_plan_p50_ms": 1e3 * self.frame_age.summary().p50,
            "frame_to_plan_p95_ms": 1e3 * self.frame_age.summary().p95,
            "instruction": self.core.instruction.text[:LOGGED],
            "outlook": self.core.outlook(),
            "prompt": self.parameters.prompt,
            "question": self.core.question,
        }
        values.update(self.vlm_report())
        wrong = unmatched_publishers(self, TOPICS)
        if wrong or self.core.frames_refused:
            return ERROR, (wrong or [self.core.frames_refused])[0], values
        return bytes([level]), explanation, values


def main() -> None:
    raise_priority()
    sys.exit(run("planner", lambda: autostart(Planner())))


if __name__ == "__main__":
    main()
