"""The ROS side of `vla-ros bench transport`: the graph's messages between processes, with a policy that does nothing.

`planner` and `expert` convert and publish as the nodes of these names do, without their pacing: what is measured is the
way, not the timers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import JointState as JointStateMessage

from vla_ros.lab.bench.round_trips import CAMERAS, SIDE, TASK, Observation, no_op
from vla_ros.msg import ActionChunk, CameraFrames, LatentPlan
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.ros.convert import chunk_message, frames_from, joint_state_from, plan_from, plan_message
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import NEWEST, SENSOR
from vla_ros.ros.stamps import nanoseconds, time_message

PATIENCE_S = 60.0
LATE_S = 0.5
NAMES = [f"joint{i + 1}" for i in range(7)]
ALL_NAMES = [*NAMES, "finger_joint"]


class _Half:
    """A node and the executor that serves it."""

    def __init__(self, name: str) -> None:
        rclpy.init()
        self.node = rclpy.create_node(name)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.joint_state: JointState | None = None
        self.joint_states = polled(self.node, JointStateMessage, "joint_states", SENSOR)

    def q(self, stamp_ns: int) -> NDArray[np.float64]:
        """The joints of an observation: they were sent first, but by another way, on which they may be late."""
        end_s = time.monotonic() + LATE_S
        while self.joint_state is None or self.joint_state.stamp_ns < stamp_ns:
            for message, _ in take(self.joint_states):
                self.joint_state = joint_state_from(message, NAMES)
            if time.monotonic() > end_s:
                return np.full(len(NAMES), np.nan)
        return self.joint_state.q

    def spin(self) -> None:
        self.executor.spin()


def planner(ready: Connection) -> None:
    """System 2 alone: frames and joint state to a plan that holds the actions."""
    half = _Half("planner")
    publisher = half.node.create_publisher(LatentPlan, "vla/latent_plan", NEWEST)

    def see(message: CameraFrames) -> None:
        frames = frames_from(message, {})
        data = no_op(half.q(frames.stamp_ns))
        plan = Plan(frames.stamp_ns, Instruction(1, TASK), PlanState.ACTIVE, kind="actions", data=data)
        publisher.publish(plan_message(plan, "no_op", "base", 0.0))

    half.node.create_subscription(CameraFrames, "vla/frames", see, NEWEST)
    ready.send(0)
    half.spin()


def expert(ready: Connection) -> None:
    """System 1 alone: a plan to a chunk."""
    half = _Half("action_expert")
    publisher = half.node.create_publisher(ActionChunk, "vla/action_chunk", NEWEST)

    def see(message: LatentPlan) -> None:
        plan = plan_from(message)
        positions = np.asarray(plan.data, np.float64)
        chunk = Chunk(positions, 0.02, plan.frame_stamp_ns, frame_stamp_ns=plan.frame_stamp_ns)
        publisher.publish(chunk_message(chunk, ALL_NAMES))

    half.node.create_subscription(LatentPlan, "vla/latent_plan", see, NEWEST)
    ready.send(0)
    half.spin()


def whole(ready: Connection) -> None:
    """Both halves in one process: frames and joint state to a chunk."""
    half = _Half("policy")
    publisher = half.node.create_publisher(ActionChunk, "vla/action_chunk", NEWEST)

    def see(message: CameraFrames) -> None:
        frames = frames_from(message, {})
        chunk = Chunk(no_op(half.q(frames.stamp_ns)), 0.02, frames.stamp_ns, frame_stamp_ns=frames.stamp_ns)
        publisher.publish(chunk_message(chunk, ALL_NAMES))

    half.node.create_subscription(CameraFrames, "vla/frames", see, NEWEST)
    ready.send(0)
    half.spin()


def client(_: Any) -> Callable[[Observation], NDArray[np.float64]]:
    """Return one round trip: joint state and frames out, the chunk that descends from them in."""
    rclpy.init()
    node = rclpy.create_node(f"round_trip_{os.getpid()}")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    joints = node.create_publisher(JointStateMessage, "joint_states", SENSOR)
    frames = node.create_publisher(CameraFrames, "vla/frames", NEWEST)
    answers: dict[int, ActionChunk] = {}

    def keep(message: ActionChunk) -> None:
        answers[nanoseconds(message.frame_stamp)] = message

    node.create_subscription(ActionChunk, "vla/action_chunk", keep, NEWEST)
    end_s = time.monotonic() + PATIENCE_S
    while not (
        frames.get_subscription_count()
        and joints.get_subscription_count()
        and node.count_publishers("vla/action_chunk")
    ):
        executor.spin_once(timeout_sec=0.05)
        if time.monotonic() > end_s:
            raise RuntimeError("the other side was not discovered")
    stamp_ns = 0

    def publish(observation: Observation) -> None:
        nonlocal stamp_ns
        stamp_ns += 1_000_000
        stamp = time_message(stamp_ns)
        state = JointStateMessage(name=NAMES, position=observation.joints.tolist(), velocity=[0.0] * len(NAMES))
        state.header.stamp = stamp
        joints.publish(state)
        message = CameraFrames(names=list(CAMERAS), frame_ids=[""] * 2, stamps=[stamp] * 2, health=[0, 0])
        message.header.stamp = stamp
        message.height = message.width = SIDE
        message.k = [0.0] * 18
        message.data = np.stack(list(observation.images.values())).tobytes()
        frames.publish(message)

    def answered(seconds: float) -> bool:
        give_up_s = time.monotonic() + seconds
        while stamp_ns not in answers and time.monotonic() < give_up_s:
            executor.spin_once(timeout_sec=0.5)
        return stamp_ns in answers

    def ask(observation: Observation) -> NDArray[np.float64]:
        publish(observation)
        if not answered(PATIENCE_S):
            raise RuntimeError(f"no chunk within {PATIENCE_S:.0f} s")
        points = answers[stamp_ns].trajectory.points
        answers.clear()
        return np.array([point.positions for point in points])

    # Each side discovers the other by itself: only an answer shows that both have.
    first = Observation({name: np.zeros((SIDE, SIDE, 3), np.uint8) for name in CAMERAS}, np.zeros(len(NAMES)))
    publish(first)
    while not answered(0.5):
        publish(first)
        if time.monotonic() > end_s:
            raise RuntimeError("the other side was not discovered")
    return ask
