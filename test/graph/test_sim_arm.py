"""The simulated arm reports what is wrong now, and goes on without its cameras."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_ros.nodes import sim_arm
from vla_ros.nodes.sim_arm import SimArmNode
from vla_ros.ros.diagnostics import ERROR, OK, WARN
from vla_ros.sim.arm_description import HOME
from vla_ros.srv import GroundTruth, ResetScene


def test_a_simulated_arm_complains_of_the_present(start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    node = start(SimArmNode, "sim_arm", camera_rate_hz=0.0)
    assert node.report()[:2] == (OK, "running")
    node.ticks_behind += 250
    assert node.report()[:2] == (WARN, "fell 1.00 s behind real time in the last second")
    assert node.report()[0] == OK
    assert node.report()[2]["ticks_behind_real_time"] == 250
    sent = {node.commands: [(Float64MultiArray(data=[0.0]), {})]}
    monkeypatch.setattr(sim_arm, "take", lambda subscription: sent.get(subscription, []))
    node.receive_commands()
    level, words, _ = node.report()
    assert level == ERROR and words.startswith("command refused: ")
    sent[node.commands] = [(Float64MultiArray(data=list(HOME)), {})]
    node.receive_commands()
    assert node.report()[0] == OK


def test_a_simulated_arm_goes_on_without_eyes(start: Callable[..., Any]) -> None:
    node = start(SimArmNode, "sim_arm")
    os.kill(node.cameras._process.pid, signal.SIGKILL)
    node.cameras._process.join()
    assert node.reset_scene(ResetScene.Request(seed=1), ResetScene.Response()).success
    node.publish_state(1000)
    assert node.cameras is None
    level, words, values = node.report()
    assert level == ERROR and words.startswith("the process that draws") and values["renderer"] == "none"
    assert node.reset_scene(ResetScene.Request(seed=1), ResetScene.Response()).success


@pytest.mark.parametrize(
    ("points", "text"),
    [
        ([], "a trajectory of 0 points; this controller takes one"),
        ([JointTrajectoryPoint(velocities=[0.1])], "the last point moves"),
    ],
)
def test_a_trajectory_that_joint_trajectory_controller_refuses_is_refused(
    points: list[JointTrajectoryPoint], text: str, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = start(SimArmNode, "sim_arm", camera_rate_hz=0.0)
    sent = {node.trajectories: [(JointTrajectory(points=points), {})]}
    monkeypatch.setattr(sim_arm, "take", lambda subscription: sent.get(subscription, []))
    node.receive_commands()
    assert text in node.report()[1]


def test_a_new_scene_has_its_own_task_and_its_truth_is_told(start: Callable[..., Any]) -> None:
    node = start(SimArmNode, "sim_arm", camera_rate_hz=0.0)
    answer = node.reset_scene(ResetScene.Request(seed=4, task="place"), ResetScene.Response())
    assert answer.success and answer.instruction
    truth = node.ground_truth(GroundTruth.Request(), GroundTruth.Response())
    assert not truth.task_success
    assert answer.instruction in truth.state
    refused = node.reset_scene(ResetScene.Request(seed=4, task="juggle"), ResetScene.Response())
    assert not refused.success and "juggle" in refused.message
