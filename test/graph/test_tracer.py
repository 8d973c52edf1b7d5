"""The tracer hears everything between camera and controller and passes on what changes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import rclpy
from std_msgs.msg import Float64MultiArray, String

from vla_ros.bringup.process import private_domain
from vla_ros.msg import ActionChunk, CameraFrames, JointCommand, LatentPlan
from vla_ros.ros.qos import EVENTS, LATCHED, NEWEST
from vla_ros.ros.stamps import time_message
from vla_ros.ros.tracer import Tracer, connect_tracer
from vla_ros.tracing.reasoning import ReasoningEntry


def spin(tracer: Tracer, until: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + 60.0
    while not until() and time.monotonic() < end_s:
        tracer.spin(time.monotonic() + 0.1)
    return until()


def test_a_frame_is_followed_and_the_reasoning_passed_on() -> None:
    os.environ.update(private_domain())
    entries: list[ReasoningEntry] = []
    with connect_tracer("", entries.append) as tracer:
        node = rclpy.create_node("safety_filter")  # whose publishers name the controller's topic
        publishers = [
            node.create_publisher(kind, topic, qos)
            for kind, topic, qos in (
                (CameraFrames, "vla/frames", NEWEST),
                (LatentPlan, "vla/latent_plan", NEWEST),
                (ActionChunk, "vla/action_chunk", NEWEST),
                (JointCommand, "vla/joint_command", EVENTS),
                (Float64MultiArray, "arm_controller/commands", NEWEST),
                (String, "vla/question", LATCHED),
            )
        ]
        assert spin(tracer, lambda: all(publisher.get_subscription_count() for publisher in publishers))
        stamp = time_message(time.time_ns())
        frames, plan, command = (
            CameraFrames(),
            LatentPlan(state=LatentPlan.ACTIVE, subtask="grasp"),
            JointCommand(seq=5),
        )
        frames.header.stamp = plan.header.stamp = command.frame_stamp = stamp
        messages = (frames, plan, ActionChunk(frame_stamp=stamp), command, Float64MultiArray(), String(data="why?"))
        for publisher, message in zip(publishers, messages, strict=True):
            publisher.publish(message)
            time.sleep(0.02)
        assert spin(tracer, lambda: bool(tracer.hops.complete()) and len(entries) == 2)
        (trace,) = tracer.hops.complete()
        assert (trace.subtask, trace.seq) == ("grasp", 5)
        assert {entry.kind: entry.title() for entry in entries} == {"plan": "grasp", "question": "why?"}
        assert tracer.messages == 6
        node.destroy_node()
