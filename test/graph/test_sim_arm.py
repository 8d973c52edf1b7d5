"""The simulated arm reports what is wrong now, and goes on without its cameras."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from control_msgs.msg import JointTrajectoryControllerState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from vla_ros.nodes.sim_arm import SimArmNode, nominal
from vla_ros.ros import simulated_controllers
from vla_ros.ros.diagnostics import ERROR, OK, WARN
from vla_ros.sim.arm_description import HOME, JOINT_NAMES
from vla_ros.srv import GroundTruth, ResetScene


def hand_over(node: SimArmNode, sent: dict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the controller have what has been sent."""
    monkeypatch.setattr(simulated_controllers, "take", lambda subscription: sent.get(subscription, []))
    node.controllers.receive()
    node.controllers.hand_over(1, 1)


def test_a_simulated_arm_complains_of_the_present(start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    node = start(SimArmNode, "sim_arm", camera_rate_hz=0.0)
    assert node.report()[:2] == (OK, "running")
    node.ticks_behind += 250
    assert node.report()[:2] == (WARN, "fell 1.00 s behind real time in the last second")
    assert node.report()[0] == OK
    assert node.report()[2]["ticks_behind_real_time"] == 250
    sent = {node.controllers.gripper_commands: [(Float64MultiArray(data=[0.0, 0.0]), {})]}
    hand_over(node, sent, monkeypatch)
    level, words, _ = node.report()
    assert level == ERROR and words.startswith("command refused: ")
    sent[node.controllers.gripper_commands] = [(Float64MultiArray(data=[0.02]), {})]
    hand_over(node, sent, monkeypatch)
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
        ([], "a trajectory of 0 points"),
        ([JointTrajectoryPoint(positions=HOME.tolist(), velocities=[0.1] * 8)], "the last point moves"),
        ([JointTrajectoryPoint(positions=HOME.tolist(), effort=[0.1] * 8)], "takes none"),
        ([JointTrajectoryPoint(positions=[0.1])], "not 8 positions"),
    ],
)
def test_a_trajectory_that_joint_trajectory_controller_refuses_is_refused(
    points: list[JointTrajectoryPoint], text: str, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = start(SimArmNode, "sim_arm", camera_rate_hz=0.0)
    message = JointTrajectory(joint_names=list(JOINT_NAMES), points=points)
    hand_over(node, {node.controllers.arm_commands: [(message, {})]}, monkeypatch)
    assert text in node.report()[1]


def test_commands_are_handed_over_at_the_time_at_which_they_were_sent(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stall of this process alone is not seen by its controller, which a real one would be without, too."""
    node = start(SimArmNode, "sim_arm", camera_rate_hz=0.0, controller="forward", update_rate_hz=500)
    at_ns = 10**18
    sent = {
        node.controllers.arm_commands: [
            (Float64MultiArray(data=(HOME + 0.01 * k).tolist()), {"source_timestamp": at_ns + 2_000_000 * k - 1})
            for k in range(1, 5)
        ]
    }
    monkeypatch.setattr(simulated_controllers, "take", lambda subscription: sent.pop(subscription, []))
    node.controllers.receive()
    node.system_ns = node.ros_ns = at_ns + 8_000_000
    node.simulate(8_000_000)
    assert node.simulation.controller.q[0] == pytest.approx(HOME[0] + 0.01)
    node.simulate(4_000_000)
    assert node.simulation.controller.q[0] == pytest.approx(HOME[0] + 0.03)
    assert len(node.controllers.arriving) == 1


def test_the_arms_controller_tells_its_state_and_can_be_switched_off(start: Callable[..., Any]) -> None:
    node = start(SimArmNode, "sim_arm", camera_rate_hz=0.0)
    told = node.create_subscription(JointTrajectoryControllerState, "arm_controller/controller_state", print, 10)
    for end in range(100):
        node.publish_state(5 * end)
        if (state := next((message for message, _ in simulated_controllers.take(told)), None)) is not None:
            break
        time.sleep(0.05)
    assert state is not None and list(state.joint_names) == list(JOINT_NAMES[:-1])
    assert state.error.positions == pytest.approx(HOME[:-1] - node.simulation.q[:-1], abs=1e-12)
    assert state.speed_scaling_factor == 1.0 and state.header.stamp.sec > 0
    request = SetBool.Request(data=False)
    assert node.controllers._switch(request, SetBool.Response()).message == "arm_controller is inactive"
    node.publish_state(5)
    assert not list(simulated_controllers.take(told)), "an inactive controller tells nothing"


def test_a_nominal_time_is_kept_until_the_clock_is_set() -> None:
    assert nominal(1000, 1400, 500) == 1000
    assert nominal(1000, 1600, 500) == 1600


def test_a_new_scene_has_its_own_task_and_its_truth_is_told(start: Callable[..., Any]) -> None:
    node = start(SimArmNode, "sim_arm", camera_rate_hz=0.0)
    answer = node.reset_scene(ResetScene.Request(seed=4, task="place"), ResetScene.Response())
    assert answer.success and answer.instruction
    truth = node.ground_truth(GroundTruth.Request(), GroundTruth.Response())
    assert not truth.task_success
    assert answer.instruction in truth.state
    refused = node.reset_scene(ResetScene.Request(seed=4, task="juggle"), ResetScene.Response())
    assert not refused.success and "juggle" in refused.message
