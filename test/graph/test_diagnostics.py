"""What the nodes say of themselves: at all, of what is lacking, and no longer of what is over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import rclpy
from sensor_msgs.msg import JointState as JointStateMessage
from trajectory_msgs.msg import JointTrajectory

from vla_ros.msg import LatentPlan, SafetyStatus
from vla_ros.nodes.action_expert import NO_PLAN_S, ActionExpertNode
from vla_ros.nodes.safety_filter import SafetyFilterNode
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.resources import share
from vla_ros.ros.diagnostics import OK, WARN, Diagnostics
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

S = 1_000_000_000


def wait(until: Callable[[], bool]) -> None:
    """Let discovery go on until it holds."""
    end_s = time.monotonic() + 60.0
    while not until():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_a_clock_that_stands_still_silences_nobody(start: Callable[..., Any]) -> None:
    node = start(lambda: rclpy.create_node("somebody"), use_sim_time=True)
    reports: list[int] = []

    def report() -> tuple[bytes, str, dict[str, object]]:
        reports.append(1)
        return OK, "running", {}

    diagnostics = Diagnostics(node, report, 0.01)
    for _ in range(100):
        rclpy.spin_once(node, timeout_sec=0.1)
        if reports:
            break
    assert reports and diagnostics


def test_a_filter_without_joint_states_warns(start: Callable[..., Any]) -> None:
    urdf = str(share() / "config" / "sim_arm.urdf")
    node = start(SafetyFilterNode, "safety_filter", urdf=urdf, **{"audit.directory": ""})
    remedy = ": is the robot's driver running, in this ROS_DOMAIN_ID?"
    nobody = f"nobody publishes on /joint_states, nor is sensor_msgs/msg/JointState published anywhere{remedy}"
    unread = (
        "nobody listens on /arm_controller/joint_trajectory, nor is trajectory_msgs/msg/JointTrajectory read anywhere"
    )
    assert node._report()[0] == WARN and node._report()[1].startswith(f"DISARMED: {unread}")
    assert node._triggers._arm() == (False, f"cannot arm: {unread}{remedy}")
    arm = node.create_subscription(JointTrajectory, "arm_controller/joint_trajectory", print, 1)
    wait(lambda: not node._output.unread())
    assert node._report()[:2] == (WARN, f"DISARMED: {nobody}")
    assert node._triggers._arm() == (False, f"cannot arm: no joint state yet on joint_states; {nobody}")
    driver = node.create_publisher(JointStateMessage, "joint_states", 1)
    unheard = (WARN, "DISARMED: no fresh, valid joint states on joint_states")
    wait(lambda: node._report()[:2] == unheard)
    state = list(JOINT_NAMES), list(HOME), [0.0] * len(HOME)
    now_ns = time.monotonic_ns()
    node.filter.joint_state(now_ns - 10 * S, *state)
    assert node._report()[:2] == unheard
    node.filter.joint_state(now_ns + 60 * S, *state)  # fresh for as long as a slow machine takes
    assert node._report()[:2] == (OK, "DISARMED")
    node.filter.values.state = State.HOLDING
    for rule, level in (("authority", WARN), ("safety_monitor", WARN), ("deadman", OK)):
        node._report.decision = SimpleNamespace(verdict=Verdict(rule, "why"))
        assert node._report()[:2] == (level, "HOLDING: why")
    node.destroy_subscription(arm)
    node.destroy_publisher(driver)
    node.create_subscription(JointTrajectory, "robot/joint_trajectory", print, 1)
    wait(lambda: "is read on /robot/joint_trajectory: compare names, namespaces" in node._report()[1])


def test_an_expert_says_what_it_lacks(start: Callable[..., Any]) -> None:
    node = start(ActionExpertNode, "action_expert")
    now_ns = time.monotonic_ns()
    assert node.output_blocked(now_ns) == (WARN, "no safety filter heard")
    node.safety_state, node.status_ns = SafetyStatus.DISARMED, now_ns
    assert node.output_blocked(now_ns) == (WARN, "no fresh joint state")
    node.joint_state, node.joint_state_ns = "one", now_ns
    assert node.output_blocked(now_ns) == (OK, "the safety filter is not armed")
    node.status_ns -= S
    assert node.output_blocked(now_ns) == (WARN, "no safety filter heard")
    node.active = True
    assert node.report()[0] == OK
    node.instruction_tracker.on_instruction(9, now_ns)
    node.on_plan(LatentPlan(instruction_id=7, state=LatentPlan.HOLD), now_ns)
    node.instruction_tracker.heard_ns = now_ns - round(2 * NO_PLAN_S * S)
    assert node.report()[:2] == (WARN, "the planner has not taken up the newest instruction: say it again")
    node.on_plan(LatentPlan(instruction_id=9, state=LatentPlan.HOLD, reasoning="no frames"), now_ns)
    assert node.report()[0] == OK
    node.on_plan(LatentPlan(instruction_id=9, state=99), now_ns)
    assert node.no_plan_reason == "plan state 99 is unknown here"


def test_the_rates_of_an_expert_end_with_its_stream(start: Callable[..., Any]) -> None:
    node = start(ActionExpertNode, "action_expert")
    node.safety_state, node.status_ns = SafetyStatus.HOLDING, 2 * S  # fresh until then
    home = np.zeros(len(JOINT_NAMES))
    node.joint_state, node.joint_state_ns = JointState(S, home, home), 2 * S
    node.plan = Plan(S, Instruction(9, "go"), PlanState.ACTIVE)
    chunks: list[Chunk] = []
    node.worker = SimpleNamespace(
        poll=lambda now_s: chunks.pop() if chunks else None,
        request=lambda *_: None,
        busy=False,
        close=lambda *_: None,
        fault="",
        restarts=0,
    )
    for tick in range(42):
        now_ns = S + tick * S // 100
        if tick % 20 == 1:
            chunks.append(Chunk(np.zeros((40, len(JOINT_NAMES))), 0.01, now_ns))
        node.tick(now_ns, now_ns)
    values = node.report()[2]
    assert (values["rate_hz"], values["chunk_rate_hz"]) == (100.0, 5.0)
    node.safety_state = SafetyStatus.DISARMED
    node.tick(2 * S, 2 * S)
    values = node.report()[2]
    assert math.isnan(values["rate_hz"]) and math.isnan(values["chunk_rate_hz"])
