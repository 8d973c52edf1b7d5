"""System 2: the newest frames, the instruction and the joint state become a plan."""

from __future__ import annotations

import dataclasses
import os
import sys
import time

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState as JointStateMessage
from std_msgs.msg import String

from vla_ros.bringup.node_parameters import PlannerParameters, policy_options
from vla_ros.guard import prompt, rules
from vla_ros.guard.guard import AGAIN, Answer, Guard
from vla_ros.monitors.monitors import Monitors
from vla_ros.monitors.training_statistics import load, statistics
from vla_ros.msg import CameraFrames, LatentPlan, SafetyStatus
from vla_ros.policies.contract import CameraHealth, Frames, Instruction, Plan, PlanState, System2
from vla_ros.policies.latents import LatentWriter
from vla_ros.policies.registry import Robot, system2
from vla_ros.ros.convert import frames_from, joint_state_from, plan_message
from vla_ros.ros.node import (
    ERROR,
    LATCHED,
    NEWEST,
    OK,
    WARN,
    Diagnostics,
    Managed,
    autostart,
    declare,
    every,
    mismatches,
    nanoseconds,
    run,
    urdf_of,
)
from vla_ros.ros.polling import polled, take
from vla_ros.safety.states import ACTIVE
from vla_ros.scheduling import urgent
from vla_ros.time import NS_PER_S, Moments, Rate, Window
from vla_ros.transforms import matrix

TOPICS = {
    "vla/frames": "vla_ros/msg/CameraFrames",
    "task_instruction": "std_msgs/msg/String",
    "joint_states": "sensor_msgs/msg/JointState",
}
JOINT_STATES = QoSProfile(depth=250, reliability=ReliabilityPolicy.BEST_EFFORT)
"""A second of them at 250 Hz: older than that frames are not planned with."""
ENDED = (PlanState.FAILED, PlanState.REFUSED)
LATE_SHARE = 0.3
"""So many late plans of a second's are worth a warning: the first of an instruction comes when it comes."""
REPORT_S = 0.2
LOGGED = 200
"""Characters of an instruction that logs and diagnostics repeat."""


class Planner(Managed):
    """Thin: every set of frames is one call of the policy; never a backlog, because only the newest is kept."""

    def __init__(self) -> None:
        super().__init__("planner")
        self.parameters = declare(self, PlannerParameters)
        foreign = policy_options("planner", self.parameters.policy)
        self.options = getattr(declare(self, foreign) if foreign else self.parameters, self.parameters.policy)
        poses = np.reshape(self.parameters.camera_poses, (-1, 7))
        self.poses = {
            name: matrix(pose[:3], pose[3:]) for name, pose in zip(self.parameters.cameras, poses, strict=True)
        }
        self.guard = Guard(rules.load(self.parameters.guard.rules))
        self.prompt = prompt.load(self.parameters.prompt)
        self.monitors = Monitors(self.parameters.monitors, self.parameters.joint_names)
        self.asked = ""
        self.system2: System2 | None = None
        self.instruction = Instruction(0, "")
        self.task = ""  # what the policy is asked for: the instruction, or that before it once more
        self.answered = True
        self.over = False  # it is done, and nothing that is seen after that changes it
        self.frames: Frames | None = None
        self.frames_ns = 0
        self.planned_ns = 0
        self.moments: Moments[JointStateMessage] = Moments(JOINT_STATES.depth)
        self.plans = 0
        self.may_move = False  # until the filter says so
        self.shared: LatentWriter | None = None
        self.why = "waiting for frames"
        self.level = OK
        self.late = self.counted_ns = 0
        self.rate = Rate(1.0 / self.parameters.rate_hz, 0.5 / self.parameters.rate_hz, 200)
        self.inference, self.frame_age = Window(200), Window(200)
        self.publisher = self.create_publisher(LatentPlan, "vla/latent_plan", NEWEST)
        self.waypoints = self.create_publisher(Path, "vla/waypoints", NEWEST)
        self.create_subscription(String, "task_instruction", self.hear, NEWEST)
        self.create_subscription(CameraFrames, "vla/frames", self.see, NEWEST)
        # 250 Hz of joint states are polled when a plan is made: an executor would spend more on them than on planning.
        self.joint_states = polled(self, JointStateMessage, "joint_states", JOINT_STATES)
        self.statuses = polled(self, SafetyStatus, "vla/safety_status", QoSProfile(depth=50))
        self.questions = self.create_publisher(String, "vla/question", LATCHED)
        every(self, 0.2, self.watch)
        # More often than others, so that people see within a second that it is gone.
        self.diagnostics = Diagnostics(self, self.report, REPORT_S)

    def configure(self) -> None:
        name = self.parameters.policy
        options = dataclasses.asdict(self.options)
        urdf = urdf_of(self, self.parameters.urdf)
        robot = Robot(urdf, tuple(self.parameters.joint_names), self.parameters.tool_frame)
        self.system2 = system2(name, robot, options)
        file, known = self.parameters.monitors.statistics, getattr(self.system2, "statistics", None)
        names = self.parameters.joint_names
        trained = load(file, names) if file else statistics(known, names) if known is not None else None
        self.monitors = Monitors(self.parameters.monitors, names, trained)

    def release(self) -> None:
        self.system2 = None
        self.release_ring()

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.answered = True  # what was asked for before does not begin again by itself
        self.hold("the planner was deactivated", OK)
        return super().on_deactivate(state)

    def hear(self, message: String, info: object) -> None:
        """A new sentence: serve it with the frames at hand, unless the guard stops or refuses it."""
        text = message.data.strip()
        self.instruction = Instruction(info["source_timestamp"], text)  # type: ignore[index]
        self.get_logger().info(f"instruction: {text[:LOGGED] or '(hold)'}")
        self.answered, self.over = True, False
        judgement = self.guard.judge(text)
        again = bool(self.asked) and judgement.rule == AGAIN
        refused = bool(text) and judgement.answer is Answer.REFUSE and not again
        if not refused:  # what is refused answers nothing
            self.monitors.instruction()
            if self.asked:
                self.ask("")
        if not self.asked:
            self.level = OK
        if refused:
            self.end(PlanState.REFUSED, judgement.reason)
        elif not text:
            self.hold("the instruction is empty", OK)
        elif judgement.answer is Answer.STOP:
            self.end(PlanState.DONE, judgement.reason)  # an instruction that holding fulfils
        else:
            self.task = self.task if again else text
            self.answered = False
            self.rate.pause()
            if self.active and self.frames is not None and self.silent_s <= self.parameters.frames_timeout_s:
                self.plan()

    def end(self, state: PlanState, reason: str) -> Plan:
        """End an instruction without the policy, which hears no more of it."""
        self.answered = True
        self.get_logger().warning(reason)
        return self.say(state, reason)

    def see(self, message: CameraFrames) -> None:
        """A new set of frames: the moment to plan."""
        now_ns = time.monotonic_ns()
        self.frames, self.frames_ns = frames_from(message, self.poses), now_ns
        if self.active and not self.answered and now_ns - self.planned_ns >= 0.7e9 / self.parameters.rate_hz:
            self.plan()

    def ask(self, question: str) -> None:
        """Ask people; an empty question: it is answered."""
        self.asked = question
        self.questions.publish(String(data=question))

    def watch(self) -> None:
        """Without frames the arm must not go on with what was seen last; nor when a monitor wants to ask."""
        for message, _ in take(self.statuses):
            self.may_move = message.state in ACTIVE and message.source != "override"
            stamp_ns = nanoseconds(message.header.stamp)
            self.monitors.motion(stamp_ns, self.may_move, message.joint_names, message.positions)
        question = "" if self.answered or self.over else self.monitors.question()
        if question:
            self.level = WARN
            self.monitors.plan(time.monotonic_ns(), self.end(PlanState.FAILED, question))
            self.ask(question)
        if self.active and not self.answered and self.silent_s > self.parameters.frames_timeout_s:
            self.hold("no frames from the camera node")

    @property
    def silent_s(self) -> float:
        """How long no frames have come."""
        return (time.monotonic_ns() - self.frames_ns) / 1e9

    def plan(self) -> None:
        """One call of the policy."""
        assert self.frames is not None and self.system2 is not None
        for message, _ in take(self.joint_states):
            if set(self.parameters.joint_names) <= set(message.name):
                self.moments.add(nanoseconds(message.header.stamp), message)
        # Of the moment of the frames: a hand that has gone on since is not where the picture shows it.
        of_frames = self.moments.nearest(self.frames.stamp_ns)
        state = None if of_frames is None else joint_state_from(of_frames, self.parameters.joint_names)
        if state is None:
            self.hold("no joint states with the policy's joints")
            return
        for name in self.parameters.required_cameras:
            view = self.frames.views.get(name)
            if view is None or view.health is not CameraHealth.OK:
                self.hold(f"camera {name} is {'absent' if view is None else view.health.name.lower()}")
                return
        began_ns = time.monotonic_ns()
        self.planned_ns = began_ns
        healthy = {name: view.image for name, view in self.frames.views.items() if view.health is CameraHealth.OK}
        self.monitors.observation(began_ns, healthy, state.q)
        try:
            asked = Instruction(self.instruction.id, self.prompt.worded(self.task))
            state = dataclasses.replace(state, may_move=self.may_move)
            plan = dataclasses.replace(self.system2.plan(self.frames, asked, state), instruction=self.instruction)
            self.level = OK
        except Exception as error:  # a policy's fault must not take the node down: it is said, and the arm holds
            self.level = ERROR
            self.answered = True  # what has failed does not begin again by itself
            self.rate.pause()
            self.get_logger().error(f"the policy failed: {type(error).__name__}: {error}")
            plan = Plan(
                self.frames.stamp_ns,
                self.instruction,
                PlanState.FAILED,
                reasoning=f"the policy failed: {type(error).__name__}: {error}",
            )
        took_ns = time.monotonic_ns() - began_ns
        self.frames_ns += took_ns  # meanwhile nothing could be heard: a slow policy is no silence of the camera's
        took_s = took_ns / 1e9
        self.over = plan.state is PlanState.DONE
        self.monitors.plan(began_ns, plan)
        self.rate.tick(began_ns)
        self.inference.add(took_s)
        self.frame_age.add((self.get_clock().now().nanoseconds - self.frames.stamp_ns) / 1e9)
        self.why = f"{plan.subtask or plan.state.name.lower()}{': ' if plan.reasoning else ''}{plan.reasoning}"
        self.send(plan, took_s)
        ended = plan.state in ENDED
        if ended != bool(self.asked):
            self.ask(f"{self.why}. What shall I do?" if ended else "")

    def hold(self, reason: str, level: bytes = WARN) -> None:
        """Say that the arm is to hold, and why; a warning where somebody wants it to move."""
        self.level = level
        self.say(PlanState.HOLD, reason)

    def say(self, state: PlanState, reason: str) -> Plan:
        """Send a plan without motion, and return it."""
        self.why = reason
        self.rate.pause()
        stamp_ns = self.frames.stamp_ns if self.frames is not None else 0
        plan = Plan(stamp_ns, self.instruction, state, reasoning=reason)
        self.send(plan, 0.0)
        return plan

    def send(self, plan: Plan, inference_s: float) -> None:
        self.plans += 1
        plan = dataclasses.replace(
            plan,
            plan_id=self.plans,
            valid_for_s=self.parameters.valid_for_s,
            checkpoint="" if self.system2 is None else self.system2.checkpoint,
        )
        message = plan_message(plan, self.parameters.policy, self.parameters.base_frame, inference_s, self.ring(plan))
        self.publisher.publish(message)
        if self.waypoints.get_subscription_count():
            poses = [PoseStamped(header=message.header, pose=pose) for pose in message.waypoints]
            self.waypoints.publish(Path(header=message.header, poses=poses))

    def ring(self, plan: Plan) -> LatentWriter | None:
        """Return the shared memory for a large plan; None when its bytes are to travel in the message."""
        least = self.parameters.shared_memory_bytes
        if not least or plan.data.nbytes < least:
            return None
        if self.shared is None or plan.data.nbytes > self.shared.capacity:
            self.release_ring()
            self.shared = LatentWriter(f"vla_ros_{os.getpid()}", plan.data.nbytes)
        return self.shared

    def release_ring(self) -> None:
        """Remove the shared memory; a reader that comes too late drops its plan."""
        if self.shared is not None:
            self.shared.close()
            self.shared = None

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """For /diagnostics."""
        inference, now_ns = self.inference.summary(), time.monotonic_ns()
        if now_ns - self.counted_ns > NS_PER_S:
            self.late, self.counted_ns = self.rate.newly_missed(), now_ns
        values: dict[str, object] = {
            **self.rate.values(),
            "plans": self.plans,
            "inference_p50_ms": 1e3 * inference.p50,
            "inference_p99_ms": 1e3 * inference.p99,
            "frame_to_plan_p50_ms": 1e3 * self.frame_age.summary().p50,
            "frame_to_plan_p95_ms": 1e3 * self.frame_age.summary().p95,
            "instruction": self.instruction.text[:LOGGED],
            "prompt": self.parameters.prompt,
            "question": self.asked,
        }
        wrong = mismatches(self, TOPICS)
        if wrong:
            return ERROR, wrong[0], values
        if not self.active:
            return WARN, "not active", values
        if not self.instruction.text:
            return OK, "waiting for an instruction", values
        # Of a run that goes on: what a monitor saw last is old once nothing is carried out.
        warnings = {} if self.answered else self.monitors.warnings()
        if self.level == OK and warnings:
            return WARN, "; ".join(f"{name}: {words}" for name, words in warnings.items()), values
        if self.level == OK and self.late > LATE_SHARE * self.parameters.rate_hz:
            return WARN, f"{self.late} late plans in the last second: {self.why}", values
        return self.level, self.why, values


def main() -> None:
    urgent()
    sys.exit(run("planner", lambda: autostart(Planner())))


if __name__ == "__main__":
    main()
