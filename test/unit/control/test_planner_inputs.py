"""Joints, frames, silence and lateness: what a plan is made of, and when there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from test.unit.control.planner_desk import GUARD, JOINTS, PARAMETERS, PERIOD_NS, TASK, Desk
from vla_ros.control.planner import (
    LATE_SHARE,
    Level,
    PlannerCore,
)
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.guard import load_prompt
from vla_ros.monitors import Monitors
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.contract import JointState, PlanState
from vla_ros.safety.states import State
from vla_ros.time import NS_PER_S


def test_the_policy_gets_the_joints_of_the_moment_of_the_frames(desk: Desk) -> None:
    for k in range(5):
        stamp_ns = PERIOD_NS + (k - 2) * NS_PER_S // 250
        desk.core.on_joint_state(stamp_ns, JointState(stamp_ns, np.full(2, 0.1 * k), np.zeros(2)))
    desk.say(TASK)
    assert desk.policy.heard[0].joint_state.q.tolist() == [0.2, 0.2]


def test_the_joints_of_any_moment_lie_between_those_measured(desk: Desk) -> None:
    second = NS_PER_S
    for stamp_ns, q, dq in ((second, 1.0, 0.0), (second + second // 10, 2.0, 5.0)):
        desk.core.on_joint_state(stamp_ns, JointState(stamp_ns, np.full(2, q), np.full(2, dq)))

    def at(stamp_ns: int) -> float | None:
        q = desk.core.joints_at(stamp_ns)
        return None if q is None else float(q[1])

    assert at(second) == 1.0 and at(second + second // 40) == pytest.approx(1.25)
    assert at(second + second // 5) == pytest.approx(2.5), "after the newest they go on"
    assert at(second + second // 4) is None, "but not for long"
    assert at(second // 2) is None, "nobody measured near that moment"
    assert at(-1) is None
    desk.core.on_joint_state(2 * second, None)
    assert at(2 * second) is None


def test_without_usable_joints_of_that_moment_the_arm_holds(desk: Desk) -> None:
    desk.core.on_joint_state(PERIOD_NS, None)
    plan = desk.say(TASK)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, "no joint states with the policy's joints")
    assert desk.report[0] is Level.WARN
    desk.core.on_joint_state(2 * PERIOD_NS, JointState(0, np.zeros(2), np.zeros(2)))
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE


@pytest.mark.parametrize("health", [health for health in CameraHealth if health is not CameraHealth.OK])
def test_without_a_healthy_image_of_a_required_camera_the_arm_holds(desk: Desk, health: CameraHealth) -> None:
    healthy = desk.view
    desk.view = replace(healthy, health=health)
    plan = desk.say(TASK)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, f"camera front is {health.words}")
    assert desk.policy.heard == []
    desk.view = healthy
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE


def test_a_required_camera_that_is_absent_is_named() -> None:
    plan = Desk(required_cameras=["front", "wrist"]).say(TASK)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, "camera wrist is absent")


def test_an_instruction_is_not_planned_with_frames_that_are_long_gone(desk: Desk) -> None:
    desk.look()
    desk.now_ns += round(0.6 * NS_PER_S)
    desk.core.on_instruction(1, TASK)
    desk.work()
    assert desk.policy.heard == [] and desk.plans == []
    desk.tick()
    assert (desk.plans[-1].state, desk.plans[-1].reasoning) == (PlanState.HOLD, "no frames from the camera node")
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE


def test_an_instruction_before_the_first_frames_waits_for_them(desk: Desk) -> None:
    desk.core.on_instruction(1, TASK)
    desk.work()
    assert desk.plans == []
    desk.tick()
    assert (desk.plans[-1].state, desk.plans[-1].frame_stamp_ns) == (PlanState.HOLD, 0)
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE


def test_silence_of_the_camera_holds_until_it_is_over(desk: Desk) -> None:
    desk.say(TASK)
    desk.now_ns += round(0.4 * NS_PER_S)
    desk.tick()
    assert desk.plans[-1].state is PlanState.ACTIVE
    desk.now_ns += round(0.2 * NS_PER_S)
    desk.tick()
    assert desk.plans[-1].state is PlanState.HOLD
    assert desk.report == (Level.WARN, "no frames from the camera node")
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE and desk.report[0] is Level.OK


def test_a_slow_policy_is_no_silence_of_the_camera(desk: Desk) -> None:
    desk.policy.takes_s = 0.6
    desk.say(TASK)
    desk.tick()
    assert [plan.state for plan in desk.plans] == [PlanState.ACTIVE]
    desk.now_ns += round(0.6 * NS_PER_S)
    desk.tick()
    assert desk.plans[-1].state is PlanState.HOLD


# The filter.


def test_monitors_and_policy_are_told_at_the_filters_own_time_whether_the_policy_may_move(desk: Desk) -> None:
    told: list[tuple[int, bool]] = []
    desk.core.monitors.on_motion = lambda now_ns, may_move, *_: told.append((now_ns, may_move))  # type: ignore[method-assign]
    statuses = [(State.TRACKING, "policy"), (State.TRACKING, "override"), (State.ESTOP, ""), (State.HOLDING, "")]
    for i, (state, source) in enumerate(statuses):
        desk.core.on_safety_status(i, int(state), source, JOINTS, (0.0, 0.0))
        desk.say(TASK)
    assert told == [(0, True), (1, False), (2, False), (3, True)]
    assert [request.joint_state.may_move for request in desk.policy.heard] == [True, False, False, True]


def test_the_policy_may_not_move_until_the_filter_has_spoken() -> None:
    parameters = from_mapping(PlannerParameters, PARAMETERS)
    core = PlannerCore(parameters, GUARD, load_prompt("plain.v1"), Monitors(parameters.monitors, JOINTS))
    core.on_activate()
    core.on_joint_state(0, JointState(0, np.zeros(2), np.zeros(2)))
    core.on_frames(Frames(0, {"front": CameraView(np.zeros((8, 8, 3), np.uint8))}), 0)
    core.on_instruction(1, TASK)
    request = core.request(0)
    assert request is not None and not request.joint_state.may_move


# Rates.


@pytest.mark.parametrize("end", ["stop", "", "pick up the knife", "monitor", "raise", "blind"])
def test_time_in_which_nothing_is_planned_is_no_late_plan(desk: Desk, end: str) -> None:
    pauses: list[int] = []
    desk.look()
    desk.core.rate.pause = lambda: pauses.append(len(desk.policy.heard))  # type: ignore[method-assign]
    desk.say(TASK)
    desk.look()
    assert pauses == [0], "before the first plan of an instruction, not between its plans"
    ways: dict[str, Callable[[], object]] = {
        "monitor": desk.give_up_by_monitor,
        "raise": lambda: _raise(desk),
        "blind": lambda: _blind(desk),
    }
    ways.get(end, lambda: desk.say(end))()
    assert pauses == [0, 3 if end == "raise" else 2]


def _raise(desk: Desk) -> None:
    desk.policy.error = ValueError()
    desk.look()


def _blind(desk: Desk) -> None:
    desk.now_ns += NS_PER_S
    desk.tick()


def test_late_plans_are_a_warning(desk: Desk) -> None:
    desk.say(TASK)
    assert desk.report[0] is Level.OK
    for _ in range(round(LATE_SHARE * 10) + 1):
        desk.now_ns += PERIOD_NS
        desk.look()
    desk.now_ns += NS_PER_S
    assert desk.report == (Level.WARN, "4 late plans in the last second: active")
    desk.now_ns += 2 * NS_PER_S
    assert desk.report[0] is Level.OK
