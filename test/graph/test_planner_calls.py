"""The planner node in this process, call by call: what messages become for its core, and what a fault does to it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
import yaml
from std_msgs.msg import String

from vla_ros.bringup.graph import parameters_of
from vla_ros.bringup.process import private_domain
from vla_ros.control.planner import Level
from vla_ros.msg import CameraFrames, LatentPlan, SafetyStatus
from vla_ros.nodes import planner as module
from vla_ros.nodes.planner import Planner
from vla_ros.parameters import nested
from vla_ros.policies.contract import JointState
from vla_ros.resources import share
from vla_ros.ros.stamps import time_message
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

PATIENCE_S = 90.0


@pytest.fixture
def planner(tmp_path: Path) -> Iterator[Planner]:
    os.environ.update(private_domain())
    described = parameters_of("planner", policy="scripted")
    # A simulated clock that nobody moves.
    flat = {**described, "urdf": str(share() / "config" / "sim_arm.urdf"), "use_sim_time": True}
    file = tmp_path / "planner.yaml"
    file.write_text(yaml.safe_dump({"/**": {"ros__parameters": nested(flat)}}))
    rclpy.init(args=["--ros-args", "--params-file", str(file)])
    made = Planner()
    yield made
    made.destroy_node()
    rclpy.shutdown()


def test_the_core_hears_the_filter_at_its_own_time(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    status = SafetyStatus(state=SafetyStatus.TRACKING, source="override", joint_names=["a"], positions=[0.5])
    status.header.stamp = time_message(5_000_000_007)
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(module, "take", lambda subscription: [(status, {})] if subscription is planner.statuses else [])
    monkeypatch.setattr(planner.core, "on_safety_status", lambda *args: told.append(args))
    planner.tick()
    ((stamp_ns, state, source, names, positions),) = told
    assert (stamp_ns, state, source, list(names), list(positions)) == (
        5_000_000_007,
        SafetyStatus.TRACKING,
        "override",
        ["a"],
        [0.5],
    )


def test_missing_frames_are_noticed_while_a_simulated_clock_stands(planner: Planner) -> None:
    plans: list[LatentPlan] = []
    planner.plan_publisher.publish = plans.append
    planner.core.on_activate()
    planner.on_instruction(String(data="run"), {"source_timestamp": 1})
    end_s = time.monotonic() + PATIENCE_S
    while not plans and time.monotonic() < end_s:
        rclpy.spin_once(planner, timeout_sec=0.1)
    assert (plans[-1].state, plans[-1].reasoning) == (LatentPlan.HOLD, "no frames from the camera node")


def test_lines_of_every_level_are_logged(planner: Planner) -> None:
    for level in (*Level, *Level):  # rclpy refuses two levels from one place
        planner.log(level, "said")


def test_a_policy_that_raises_does_not_end_the_node(planner: Planner) -> None:
    plans: list[LatentPlan] = []
    planner.plan_publisher.publish = plans.append
    planner.trigger_configure()
    planner.trigger_activate()
    planner.system2.plan = lambda *_: None
    planner.joints.add(time.monotonic_ns(), 1, "driver", JOINT_NAMES, HOME.tolist(), [0.0] * len(HOME))
    planner.core.on_joint_state(0, JointState(0, HOME, np.zeros(len(HOME))))
    planner.on_frames(CameraFrames(names=["front"], health=[0], height=1, width=1, k=[0.0] * 9, data=bytes(3)))
    planner.on_instruction(String(data="run"), {"source_timestamp": 1})
    assert plans[-1].state == LatentPlan.FAILED and plans[-1].reasoning.startswith("the policy failed: TypeError: ")
    assert planner.report()[2]["plans"] == 1
