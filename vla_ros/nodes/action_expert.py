"""System 1: plays action chunks as setpoints at a fixed rate, and has the next chunk computed meanwhile."""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
import time
from collections.abc import Callable

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState as JointStateMessage

from vla_ros.bringup.node_parameters import VLM, policy_options
from vla_ros.control.action_expert import ActionExpert
from vla_ros.control.action_expert_parameters import ActionExpertParameters
from vla_ros.control.chunk_discontinuity import chunk_discontinuity
from vla_ros.control.instruction_tracker import InstructionTracker
from vla_ros.control.measured_joints import MeasuredJoints
from vla_ros.control.refusals import Refusals
from vla_ros.control.worker import Worker
from vla_ros.msg import ActionChunk, JointCommand, LatentPlan, SafetyStatus
from vla_ros.policies.contract import Chunk, JointState, Plan, PlanState, System1
from vla_ros.policies.latents import LatentLost, LatentReader
from vla_ros.policies.registry import Robot, system1
from vla_ros.robot.urdf import continuous_joints
from vla_ros.ros.convert import chunk_message, commanded_positions, plan_from
from vla_ros.ros.diagnostics import ERROR, OK, WARN, Diagnostics
from vla_ros.ros.discovery import several_publishers, unmatched_publishers, unread
from vla_ros.ros.instruction_relay import InstructionRelay
from vla_ros.ros.lifecycle import ManagedNode, autostart
from vla_ros.ros.node import run
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import PacedLoop, polled, received_ns, take
from vla_ros.ros.qos import EVENTS, NEWEST, SENSOR
from vla_ros.ros.robot_description import wait_for_urdf
from vla_ros.ros.senders import take_serialized
from vla_ros.ros.stamps import nanoseconds, time_message
from vla_ros.safety.states import ACTIVE
from vla_ros.scheduling import use_real_time_scheduling
from vla_ros.time import NS_PER_S, Rate, SimulatedClockOffset, Window

REALTIME_PRIORITY = 15
LONGEST_JOINT_STATE = 16_384
"""Bytes, as the safety filter reads them."""
NO_ANSWER_S = 1.0
"""System 1 silent for so long is worth a warning."""
NO_PLAN_S = 5.0
"""A planner that says nothing of a new instruction for so long has not heard it, or cannot."""
AHEAD_S = 0.1
"""Frames stamped so far ahead are of another clock; what their age is, is not known."""
FILTER_SILENT_S = 0.5
"""The filter speaks 25 times a second."""
LATE_SHARE = 0.03
"""So many setpoints of a second's off their time are worth a warning."""
TOPICS = {
    "task_instruction": "std_msgs/msg/String",
    "vla/latent_plan": "vla_ros/msg/LatentPlan",
    "joint_states": "sensor_msgs/msg/JointState",
}


class ActionExpertNode(ManagedNode):
    """Thin: takes messages, asks the core for this tick's setpoint, hands the worker its next request."""

    def __init__(self) -> None:
        super().__init__("action_expert")
        self.parameters = declare_parameters(self, ActionExpertParameters)
        foreign = policy_options("action_expert", self.parameters.policy)
        self.options = getattr(
            declare_parameters(self, foreign) if foreign else self.parameters, self.parameters.policy
        )
        # A finger that holds something is far from its setpoint by design.
        arm = np.array([name != self.parameters.classical.gripper_joint for name in self.parameters.joint_names])
        self.expert = ActionExpert(
            self.parameters.chunk_transition, self.parameters.chunk_period_s, self.parameters.anchor_distance, arm
        )
        self.lead_ns = round(self.parameters.lead_s * NS_PER_S)
        self.worker: Worker | None = None
        self.plan: Plan | None = None
        self.latents = LatentReader()
        self.arrival_age_s = 0.0
        self.instruction_tracker = InstructionTracker()
        self.planned_for = 0
        self.joint_state: JointState | None = None
        self.joint_state_ns = 0
        self.refusals = Refusals()
        self.several_planners = ""
        self.safety_state: int | None = None
        self.commanded: np.ndarray | None = None
        self.status_ns = 0
        self.explanation = self.no_plan_reason = "waiting for a plan"
        self.level = OK
        self.checkpoint_mismatch = ""
        self.scheduling = ""
        self.seq = 0
        self.simulated_time = bool(self.get_parameter("use_sim_time").value)
        self.offset = SimulatedClockOffset()
        self.clock_offset_ns = 0
        self.sent = Rate(1.0 / self.parameters.rate_hz, 0.005)
        self.chunk_rate = Rate(self.parameters.chunk_period_s, self.parameters.chunk_period_s, 200)
        self.plan_age, self.inference_delay, self.discontinuities = Window(200), Window(200), Window(200)
        self.instructions = InstructionRelay(self)
        self.plans = polled(self, LatentPlan, "vla/latent_plan", NEWEST)
        self.joint_states = polled(self, JointStateMessage, "joint_states", SENSOR)
        self.joints = MeasuredJoints(self.parameters.joint_names, self.parameters.joint_state_timeout_s)
        self.heard_ns = time.monotonic_ns()
        self.statuses = polled(self, SafetyStatus, "vla/safety_status", EVENTS)
        self.chunk_publisher = self.create_publisher(ActionChunk, "vla/action_chunk", NEWEST)
        self.command_publisher = self.create_publisher(JointCommand, "vla/joint_command", EVENTS)
        self.diagnostics = Diagnostics(self, self.report)

    # Lifecycle.

    def configure(self) -> None:
        options = dataclasses.asdict(self.options)
        urdf = wait_for_urdf(self, self.parameters.urdf)
        p = self.parameters
        self.joints = MeasuredJoints(p.joint_names, p.joint_state_timeout_s, continuous_joints(urdf))
        robot = Robot(urdf, tuple(self.parameters.joint_names), self.parameters.tool_frame)
        make: Callable[..., System1] = system1
        if self.parameters.system2 == VLM:
            from vla_ros.policies.vlm.motion_player import system1_beneath_vlm as make
        self.worker = Worker(functools.partial(make, self.parameters.policy, robot, options))

    def release(self) -> None:
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.expert.clear()
        self.plan, self.no_plan_reason = None, "waiting for a plan: none has come since this node was activated"
        return super().on_deactivate(state)

    # The loop.

    def spin(self) -> None:
        """Tick until shutdown; services and diagnostics are served between ticks."""
        self.scheduling = use_real_time_scheduling(REALTIME_PRIORITY)
        executor = SingleThreadedExecutor(context=self.context)
        executor.add_node(self)
        loop = PacedLoop(
            self.context, round(1e9 / self.parameters.rate_hz), phase_ns=round(self.parameters.phase_s * NS_PER_S)
        )
        for tick in loop:
            self.read_topics(tick.started_ns)
            if self.active:
                self.tick(tick.started_ns, tick.deadline_ns)
            # A simulated clock reaches the node through the executor, so it must then have every tick.
            if loop.ticks % 10 == 5:
                self.look_up_planners()
            if loop.ticks % 10 == 0 or self.simulated_time:
                executor.spin_once(timeout_sec=0)

    def read_topics(self, now_ns: int) -> None:
        """Take in what has arrived."""
        now_ros_ns, read_ns = self.get_clock().now().nanoseconds, time.monotonic_ns()
        self.clock_offset_ns = now_ros_ns - read_ns
        if self.simulated_time:
            self.clock_offset_ns = self.offset.ahead_ns(now_ros_ns, read_ns)
        for status, _ in take(self.statuses):  # first: an instruction that is read now came after what they say
            self.on_status(status, now_ns)
        void = self.instructions.heard(now_ns)
        if void:
            self.instruction_tracker.void(now_ns)
        for instruction_id in self.instructions.relayed():
            void |= self.instruction_tracker.on_instruction(instruction_id, now_ns)
        if void:  # at once, whatever the planner is doing
            self.plan, self.no_plan_reason = None, "waiting for a plan for the new instruction"
        self.hear_joints(now_ns)
        for message, _ in take(self.plans):
            self.look_up_planners()
            if not self.several_planners:
                self.on_plan(message, now_ns)

    def hear_joints(self, now_ns: int) -> None:
        """Note where the joints are, stamped by this node's clock."""
        for received in take_serialized(self.joint_states, SENSOR.depth, LONGEST_JOINT_STATE):
            if received.data is None:
                continue
            message = deserialize_message(received.data, JointStateMessage)
            receive_ns = received_ns(received.received_ns, time.monotonic_ns(), time.time_ns(), self.heard_ns)
            stamp_ns = nanoseconds(message.header.stamp)
            q, dq = message.position.tolist(), message.velocity.tolist()
            self.joints.add(receive_ns, stamp_ns, received.gid, message.name, q, dq)
        self.heard_ns = now_ns
        state = self.joints.newest(now_ns, self.clock_offset_ns)
        if state is not None:
            self.joint_state, self.joint_state_ns = state, state.stamp_ns - self.clock_offset_ns

    def on_status(self, message: SafetyStatus, now_ns: int) -> None:
        """Note what the filter says; a stop ends the task, whatever the planner is doing."""
        self.safety_state, self.status_ns = message.state, now_ns
        self.commanded = commanded_positions(message, self.parameters.joint_names)
        self.refusals.on_status(now_ns, message.rejected, message.code, message.reason)
        if self.instruction_tracker.on_status(message.state, message.stops):
            self.expert.clear()
            self.plan, self.no_plan_reason = None, "a stop has ended the task"

    def look_up_planners(self) -> None:
        """Follow nobody's plans while two publish them: a stranger's latents move the arm as well as the planner's."""
        self.several_planners = several_publishers(self, "vla/latent_plan")
        if self.several_planners:
            self.plan, self.no_plan_reason = None, self.several_planners

    def on_plan(self, message: LatentPlan, now_ns: int) -> None:
        """Take a plan over when it is for the newest instruction and from the same weights."""
        self.planned_for = message.instruction_id
        active = message.state == LatentPlan.ACTIVE
        if not self.instruction_tracker.accepts(message.instruction_id, active, now_ns):
            return
        if not active:
            self.plan = None
            named = (state.name.lower() for state in PlanState if state == message.state)
            self.no_plan_reason = message.reasoning or next(named, f"plan state {message.state} is unknown here")
            return
        mine = "" if self.worker is None else self.worker.checkpoint
        if message.policy != self.parameters.policy or (mine and message.checkpoint != mine):
            self.plan = None
            self.no_plan_reason = self.checkpoint_mismatch = (
                f"plan {message.plan_id} is from {message.policy} {message.checkpoint[:12]}, "
                f"this is {self.parameters.policy} {mine[:12]}: start both with the same policy and options"
            )
            return
        try:
            self.plan = plan_from(message, self.latents)
            self.arrival_age_s = (now_ns + self.clock_offset_ns - self.plan.frame_stamp_ns) / NS_PER_S
            self.checkpoint_mismatch = ""
        except (LatentLost, ValueError) as error:
            self.no_plan_reason = f"plan {message.plan_id} dropped: {error}"

    def tick(self, now_ns: int, deadline_ns: int) -> None:
        """One tick: take a finished chunk, send this tick's setpoint, ask for the next chunk."""
        ros_ns = now_ns + self.clock_offset_ns
        # What is sent now is for this later time, and all that is played lives in it.
        play_ns, stamp_ns = ros_ns + self.lead_ns, deadline_ns + self.clock_offset_ns + self.lead_ns
        assert self.worker is not None
        chunk = self.worker.poll(now_ns / NS_PER_S)
        self.level, self.explanation = self.output_blocked(now_ns)
        if not self.explanation and self.refusals.silence_due(now_ns):
            self.level, self.explanation = WARN, self.refusals.explanation(now_ns)
        if self.explanation:
            self.expert.clear()
            self.pause()
            return
        self.level, self.explanation = self.plan_invalid(ros_ns)
        self.expert.follow(None if self.explanation else self.plan)
        if chunk is not None:
            self.accept(chunk, now_ns, play_ns)
        setpoint = self.expert.setpoint(stamp_ns)
        if setpoint is not None:
            self.send(stamp_ns, setpoint)
            self.refusals.on_sent(now_ns)
            self.sent.tick(now_ns)
            if refused := self.refusals.explanation(now_ns):
                self.level, self.explanation = WARN, refused
        else:
            self.pause()
            if not self.explanation:
                self.explanation = "waiting for a chunk from System 1"
                if self.worker.busy and now_ns - self.expert.requested_ns > NO_ANSWER_S * NS_PER_S:
                    self.level = WARN
        if self.joint_state is None or self.worker.busy:
            return
        if self.expert.due(now_ns, self.safety_state == SafetyStatus.HOLDING):
            request = self.expert.request(self.joint_state, self.commanded, now_ns, play_ns, stamp_ns)
            self.worker.request(*request)
            self.plan_age.add((ros_ns - request.plan.frame_stamp_ns) / NS_PER_S)

    def accept(self, chunk: Chunk, now_ns: int, play_ns: int) -> None:
        """Take in what the worker has computed, and publish it when it is played."""
        self.inference_delay.add((now_ns - self.expert.requested_ns) / NS_PER_S)
        taken = self.expert.accept(chunk, now_ns, play_ns)
        if taken is None:
            return
        played, before = taken
        # A path from rest has no discontinuity: nothing came before.
        jumps = (math.nan, math.nan) if before is None else chunk_discontinuity(before, played, play_ns)
        if math.isfinite(jumps[0]):
            self.discontinuities.add(jumps[0])
        self.chunk_rate.tick(now_ns)
        self.chunk_publisher.publish(chunk_message(played, self.parameters.joint_names, jumps))

    def pause(self) -> None:
        """Nothing is sent, and no rate is meant to be kept."""
        self.sent.pause()
        self.chunk_rate.pause()

    def output_blocked(self, now_ns: int) -> tuple[bytes, str]:
        """Return how bad it is and why nothing may be sent now; no words when something may."""
        if self.safety_state is None or now_ns - self.status_ns > FILTER_SILENT_S * NS_PER_S:
            return WARN, "no safety filter heard"
        if self.joint_state is None or now_ns - self.joint_state_ns > self.parameters.joint_state_timeout_s * NS_PER_S:
            return WARN, "no fresh joint state"
        if self.safety_state not in ACTIVE:
            return OK, "the safety filter is not armed"
        return OK, ""

    def plan_invalid(self, ros_ns: int) -> tuple[bytes, str]:
        """Return how bad it is and why there is no plan to follow; no words when there is one."""
        if self.plan is None:
            return OK, self.no_plan_reason
        age_s = (ros_ns - self.plan.frame_stamp_ns) / NS_PER_S
        if age_s > self.plan.valid_for_s:
            text = f"the newest plan is {age_s:.2f} s old, and valid for {self.plan.valid_for_s:g} s"
            if self.arrival_age_s > self.plan.valid_for_s:
                text += (
                    f"; it was {self.arrival_age_s:.2f} s old when it came: for a slow policy raise planner.valid_for_s"
                )
            return WARN, text
        if age_s < -AHEAD_S:
            return WARN, f"the newest plan's frames are stamped {-age_s:.2f} s ahead; compare the machines' clocks"
        return OK, ""

    def send(self, stamp_ns: int, setpoint: np.ndarray) -> None:
        self.seq += 1
        command = JointCommand(
            seq=self.seq,
            source="policy",
            joint_names=self.parameters.joint_names,
            positions=setpoint.tolist(),
            frame_stamp=time_message(self.expert.frame_stamp_ns),
        )
        command.header.stamp = time_message(stamp_ns)
        self.command_publisher.publish(command)

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """For /diagnostics."""
        late = self.sent.newly_missed()
        values: dict[str, object] = {
            **self.sent.values(),
            "chunk_rate_hz": self.chunk_rate.hz,
            "ticks": self.sent.ticks,
            "plan_age_p50_ms": 1e3 * self.plan_age.summary().p50,
            "plan_age_p95_ms": 1e3 * self.plan_age.summary().p95,
            "chunk_latency_p50_ms": 1e3 * self.inference_delay.summary().p50,
            "chunk_latency_p99_ms": 1e3 * self.inference_delay.summary().p99,
            "velocity_discontinuity_p99": self.discontinuities.summary().p99,
            "chunks": self.expert.chunks,
            "chunks_late": self.expert.late,
            "said_by": self.instructions.said_by(),
            "scheduling": self.scheduling,
            "worker_restarts": 0 if self.worker is None else self.worker.restarts,
        }
        wrong = unmatched_publishers(self, TOPICS)
        if wrong or self.several_planners:
            return ERROR, (wrong or [self.several_planners])[0], values
        if self.worker is not None and self.worker.fault:
            return ERROR, self.worker.fault, values
        if self.checkpoint_mismatch:
            return ERROR, self.checkpoint_mismatch, values
        if not self.active:
            return WARN, "not active", values
        waited_s = (time.monotonic_ns() - self.instruction_tracker.heard_ns) / NS_PER_S
        not_planned = self.planned_for < (self.instruction_tracker.id or 0) and waited_s > NO_PLAN_S
        if not_planned or self.instructions.undelivered:
            return WARN, "the planner has not taken up the newest instruction: say it again", values
        if self.safety_state in ACTIVE and (nobody := unread(self, self.command_publisher)):
            return WARN, nobody, values
        if late > LATE_SHARE * self.parameters.rate_hz:
            return WARN, f"{late} setpoints off their time in the last second", values
        return self.level, self.explanation or "moving", values


def main() -> None:
    sys.exit(run("action_expert", lambda: autostart(ActionExpertNode()), ActionExpertNode.spin))


if __name__ == "__main__":
    main()
