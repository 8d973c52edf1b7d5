"""What a large plan costs from System 2's array to System 1's, through a message and through shared memory."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

import numpy as np
import rclpy
from numpy.typing import NDArray

from vla_ros.msg import LatentPlan
from vla_ros.policies.contract import Instruction, Plan, PlanState
from vla_ros.policies.latents import LatentReader, LatentWriter
from vla_ros.ros.convert import plan_from, plan_message
from vla_ros.ros.polling import polled, take
from vla_ros.ros.qos import NEWEST

Way = Literal["message", "copied", "in_place"]
"""In the message; copied into shared memory; written there by System 2."""
TOPIC = "vla/latent_plan"
WAIT_S = 30.0
POLL_S = 0.0002


@dataclass(frozen=True)
class PlanTransport:
    """Times of one plan after another, s, each (plans that arrived,).

    Attributes:
        pack: array to message. publish: the call. unpack: message to array. total: array to array, on one clock.
        sent: number of plans that were sent.
    """

    pack: NDArray[np.float64]
    publish: NDArray[np.float64]
    unpack: NDArray[np.float64]
    total: NDArray[np.float64]
    sent: int


def measure_plan_transport(size: int, plans: int, rate_hz: float, way: Way) -> PlanTransport:
    """Send plans of `size` bytes to another process and measure.

    Args:
        size: bytes of a plan. plans: number of them. rate_hz: so many a second.
        way: how the bytes go.

    Raises:
        RuntimeError: the other process does not hear.
    """
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_receive, args=(theirs,), daemon=True)
    process.start()
    rclpy.init()
    writer = LatentWriter(f"vla_ros_transport_{os.getpid()}", size) if way != "message" else None
    try:
        node = rclpy.create_node("planner")
        publisher = node.create_publisher(LatentPlan, TOPIC, NEWEST)
        end_s = time.monotonic() + WAIT_S
        while not publisher.get_subscription_count():
            if time.monotonic() > end_s:
                raise RuntimeError("the process that receives plans is not heard of")
            time.sleep(0.05)
        data: NDArray[np.generic] = np.random.default_rng(0).integers(0, 2**16, size // 2).astype(np.uint16)
        rows = []
        for number in range(1, plans + 1):
            if writer is not None and way == "in_place":
                place = writer.empty(data.shape, data.dtype)
                place[:] = data
                data = place
            plan = Plan(0, Instruction(1, "x"), PlanState.ACTIVE, kind="kv_cache", data=data, plan_id=number)
            began_ns = time.monotonic_ns()
            message = plan_message(plan, "bench", "base", 0.0, writer)
            packed_ns = time.monotonic_ns()
            publisher.publish(message)
            published_ns = time.monotonic_ns()
            while mine.poll(1.0 / rate_hz):
                plan_id, unpack_s, received_ns = mine.recv()
                if plan_id == number:
                    row = (packed_ns - began_ns, published_ns - packed_ns, 1e9 * unpack_s, received_ns - began_ns)
                    rows.append(row)
                    break
            time.sleep(max(0.0, 1.0 / rate_hz - (time.monotonic_ns() - began_ns) / 1e9))
        mine.send(None)
        node.destroy_node()
    finally:
        if writer is not None:
            writer.close()
        rclpy.try_shutdown()
        process.join(5.0)
        process.kill()
    pack_s, publish_s, unpack_s, whole_s = np.array(rows, np.float64).reshape(-1, 4).T / 1e9
    return PlanTransport(pack_s, publish_s, unpack_s, whole_s, sent=plans)


def _receive(connection: Connection) -> None:
    """Take plans as the action expert does, and tell when each was there."""
    rclpy.init()
    node = rclpy.create_node("action_expert")
    plans, reader = polled(node, LatentPlan, TOPIC, NEWEST), LatentReader()
    kept = None
    while not connection.poll(POLL_S):
        for message, _ in take(plans):
            began_s = time.perf_counter()
            kept = plan_from(message, reader)
            connection.send((kept.plan_id, time.perf_counter() - began_s, time.monotonic_ns()))
    node.destroy_node()
    rclpy.try_shutdown()
