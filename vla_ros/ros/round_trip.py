"""Round trips over the graph's messages between processes, with a policy that the caller gives.

The servers convert and publish as the nodes planner and action_expert do, without their timers: what is measured is the
transport alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import JointState as JointStateMessage

from vla_ros.arrays import Array, Image
from vla_ros.msg import ActionChunk, CameraFrames, LatentPlan
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.ros.convert import chunk_message, frames_from, joint_state_from, plan_from, plan_message
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import NEWEST, SENSOR
from vla_ros.ros.stamps import nanoseconds, time_message

Policy = Callable[[Array], Array]
"""(n,) measured arm joints, rad → (rows, columns) positions of a chunk."""

TIMEOUT_S = 60.0
PROBE_S = 0.5
LATE_S = 0.5
"""So long a joint state may arrive after the frames of the same observation."""
STAMP_STEP_NS = 1_000_000
CHUNK_PERIOD_S = 0.02
ARM_JOINTS = [f"joint{i + 1}" for i in range(7)]
ALL_JOINTS = [*ARM_JOINTS, "finger_joint"]


class _PolicyNode:
    """A node with its executor, and the newest joint state."""

    def __init__(self, name: str) -> None:
        rclpy.init()
        self.node = rclpy.create_node(name)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._joint_state: JointState | None = None
        self._joint_states = polled(self.node, JointStateMessage, "joint_states", SENSOR)

    def q(self, stamp_ns: int) -> Array:
        """Return the joints of the observation with this stamp, rad; NaN where they do not arrive within LATE_S.

        They are sent before the frames, but on another topic, so they may arrive later.
        """
        end_s = time.monotonic() + LATE_S
        while self._joint_state is None or self._joint_state.stamp_ns < stamp_ns:
            for message, _ in take(self._joint_states):
                self._joint_state = joint_state_from(message, ARM_JOINTS)
            if time.monotonic() > end_s:
                return np.full(len(ARM_JOINTS), np.nan)
        return self._joint_state.q

    def spin(self) -> None:
        self._executor.spin()


def serve_system2(policy: Policy, instruction: str, ready: Callable[[], None]) -> None:
    """Serve System 2 alone until the process ends: frames and joint state to a plan that holds the actions.

    Args:
        ready: is called when the subscriptions exist.
    """
    server = _PolicyNode("planner")
    publisher = server.node.create_publisher(LatentPlan, "vla/latent_plan", NEWEST)

    def on_frames(message: CameraFrames) -> None:
        frames = frames_from(message)
        data = policy(server.q(frames.stamp_ns))
        plan = Plan(frames.stamp_ns, Instruction(1, instruction), PlanState.ACTIVE, kind="actions", data=data)
        publisher.publish(plan_message(plan, "no_op", "base", 0.0))

    server.node.create_subscription(CameraFrames, "vla/frames", on_frames, NEWEST)
    ready()
    server.spin()


def serve_system1(ready: Callable[[], None]) -> None:
    """Serve System 1 alone until the process ends: a plan to a chunk. ready: as for `serve_system2`."""
    server = _PolicyNode("action_expert")
    publisher = server.node.create_publisher(ActionChunk, "vla/action_chunk", NEWEST)

    def on_plan(message: LatentPlan) -> None:
        plan = plan_from(message)
        publisher.publish(_chunk_message(np.asarray(plan.data, np.float64), plan.frame_stamp_ns))

    server.node.create_subscription(LatentPlan, "vla/latent_plan", on_plan, NEWEST)
    ready()
    server.spin()


def serve_both(policy: Policy, ready: Callable[[], None]) -> None:
    """Serve both systems in one process until it ends: frames and joint state to a chunk. ready: as above."""
    server = _PolicyNode("policy")
    publisher = server.node.create_publisher(ActionChunk, "vla/action_chunk", NEWEST)

    def on_frames(message: CameraFrames) -> None:
        stamp_ns = frames_from(message).stamp_ns
        publisher.publish(_chunk_message(policy(server.q(stamp_ns)), stamp_ns))

    server.node.create_subscription(CameraFrames, "vla/frames", on_frames, NEWEST)
    ready()
    server.spin()


def _chunk_message(positions: Array, frame_stamp_ns: int) -> ActionChunk:
    chunk = Chunk(positions, CHUNK_PERIOD_S, frame_stamp_ns, frame_stamp_ns=frame_stamp_ns)
    return chunk_message(chunk, ALL_JOINTS)


class RoundTripClient:
    """Sends observations and waits for the chunks that descend from them.

    Raises:
        RuntimeError: no server was discovered within TIMEOUT_S.
    """

    def __init__(self) -> None:
        rclpy.init()
        self._node = rclpy.create_node(f"round_trip_{os.getpid()}")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._joint_states = self._node.create_publisher(JointStateMessage, "joint_states", SENSOR)
        self._frames = self._node.create_publisher(CameraFrames, "vla/frames", NEWEST)
        self._chunks: dict[int, ActionChunk] = {}
        self._node.create_subscription(ActionChunk, "vla/action_chunk", self._on_chunk, NEWEST)
        self._stamp_ns = 0
        end_s = time.monotonic() + TIMEOUT_S
        while not self._discovered():
            self._executor.spin_once(timeout_sec=0.05)
            _raise_after(end_s)

    def _discovered(self) -> bool:
        return bool(
            self._frames.get_subscription_count()
            and self._joint_states.get_subscription_count()
            and self._node.count_publishers("vla/action_chunk")
        )

    def _on_chunk(self, message: ActionChunk) -> None:
        self._chunks[nanoseconds(message.frame_stamp)] = message

    def probe(self, images: Mapping[str, Image], joints: Sequence[float]) -> None:
        """Send observations until one is answered: each side discovers the other by itself.

        Raises:
            RuntimeError: none was answered within TIMEOUT_S.
        """
        end_s = time.monotonic() + TIMEOUT_S
        self._publish(images, joints)
        while not self._answered(PROBE_S):
            self._publish(images, joints)
            _raise_after(end_s)

    def ask(self, images: Mapping[str, Image], joints: Sequence[float]) -> Array:
        """Do one round trip.

        Args:
            images: camera → (H, W, 3) uint8, all of one size.
            joints: (7,) rad.

        Returns:
            (rows, columns) positions of the chunk, rad or m.

        Raises:
            RuntimeError: no chunk came within TIMEOUT_S.
        """
        self._publish(images, joints)
        if not self._answered(TIMEOUT_S):
            raise RuntimeError(f"no chunk within {TIMEOUT_S:.0f} s")
        points = self._chunks[self._stamp_ns].trajectory.points
        self._chunks.clear()
        return np.array([point.positions for point in points])

    def _publish(self, images: Mapping[str, Image], joints: Sequence[float]) -> None:
        self._stamp_ns += STAMP_STEP_NS
        stamp = time_message(self._stamp_ns)
        state = JointStateMessage(name=ARM_JOINTS, position=list(joints), velocity=[0.0] * len(ARM_JOINTS))
        state.header.stamp = stamp
        self._joint_states.publish(state)
        self._frames.publish(_frames_message(images, stamp))

    def _answered(self, seconds: float) -> bool:
        end_s = time.monotonic() + seconds
        while self._stamp_ns not in self._chunks and time.monotonic() < end_s:
            self._executor.spin_once(timeout_sec=PROBE_S)
        return self._stamp_ns in self._chunks


def _frames_message(images: Mapping[str, Image], stamp: Any) -> CameraFrames:
    count = len(images)
    message = CameraFrames(names=list(images), frame_ids=[""] * count, stamps=[stamp] * count, health=[0] * count)
    message.header.stamp = stamp
    message.height, message.width = next(iter(images.values())).shape[:2]
    message.k = [0.0] * (9 * count)
    message.data = np.stack(list(images.values())).tobytes()
    return message


def _raise_after(end_s: float) -> None:
    if time.monotonic() > end_s:
        raise RuntimeError("the other side was not discovered")
