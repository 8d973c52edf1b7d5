"""The scripted policy: reads its file strictly, keeps to the speed, waits for the arm, ends where it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from test.unit.policies.chunk_playing import derivatives, play
from vla_ros.parameters import ParameterError
from vla_ros.perception.frames import Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.registry import Robot, system1, system2
from vla_ros.policies.scripted import load
from vla_ros.robot.joint_map import JointNamesError
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES)
NAMES = ", ".join(JOINT_NAMES)


def run(options: dict[str, object], seconds: float, q: np.ndarray = HOME) -> tuple[np.ndarray, list[Plan]]:
    planner = system2("scripted", ROBOT, options)
    plans: list[Plan] = []

    def plan(now_ns: int, state: JointState) -> Plan | None:
        plans.append(planner.plan(Frames(now_ns - 80_000_000, {}), Instruction(1, "run"), state))
        return plans[-1] if plans[-1].state is PlanState.ACTIVE else None

    return play(system1("scripted", ROBOT, options), plan, q, seconds)[0], plans


@pytest.mark.parametrize("speed_scale", [0.1, 0.5, 1.0])
def test_the_wave_keeps_to_its_speed_and_ends_where_it_began(speed_scale: float) -> None:
    played, plans = run({"speed_scale": speed_scale}, 12.0 / speed_scale)
    assert plans[-1].state is PlanState.DONE
    assert played[-1] == pytest.approx(HOME, abs=1e-4)
    velocity, acceleration, _ = derivatives(played)
    assert np.abs(velocity).max() <= 0.7 * speed_scale
    assert (np.abs(acceleration).max(axis=0)[:7] <= [7.5, 3.75, 5.0, 6.25, 7.5, 10.0, 10.0]).all()
    assert np.ptp(played, axis=0)[:7] == pytest.approx(0.1, abs=1e-3)


def test_it_waits_for_an_arm_that_does_not_follow() -> None:
    planner = system2("scripted", ROBOT, {"speed_scale": 1.0})
    states = [
        planner.plan(Frames(i * 100_000_000, {}), Instruction(1, "run"), JointState(0, HOME + 1.0, np.zeros(8)))
        if i > 3
        else planner.plan(Frames(i * 100_000_000, {}), Instruction(1, "run"), JointState(0, HOME, np.zeros(8)))
        for i in range(200)
    ]
    assert states[-1].state is PlanState.ACTIVE
    assert states[-1].progress == states[5].progress
    assert "waiting for" in states[-1].reasoning


@pytest.mark.parametrize("speed_scale", [0.1, 1.0])
def test_an_arm_that_stands_still_has_not_walked(speed_scale: float) -> None:
    """Not even where the walk ends where it began."""
    planner = system2("scripted", ROBOT, {"speed_scale": speed_scale})
    state = JointState(0, HOME, np.zeros(8))
    plans = [planner.plan(Frames(i * 100_000_000, {}), Instruction(1, "run"), state) for i in range(1500)]
    assert plans[-1].state is PlanState.ACTIVE and plans[-1].progress < 0.1
    assert "waiting for joint1" in plans[-1].reasoning


def test_a_finger_that_holds_something_is_not_waited_for() -> None:
    planner = system2("scripted", ROBOT, {"speed_scale": 1.0})
    q = HOME.copy()
    q[-1] += 0.02
    plan = planner.plan(Frames(0, {}), Instruction(1, "run"), JointState(0, HOME, np.zeros(8)))
    plan = planner.plan(Frames(100_000_000, {}), Instruction(1, "run"), JointState(0, q, np.zeros(8)))
    assert plan.reasoning == ""


def test_no_words_hold_and_new_words_start_again() -> None:
    planner = system2("scripted", ROBOT)
    state = JointState(0, HOME, np.zeros(8))
    assert planner.plan(Frames(0, {}), Instruction(0, ""), state).state is PlanState.HOLD
    planner.plan(Frames(0, {}), Instruction(1, "run"), state)
    assert planner.plan(Frames(400_000_000, {}), Instruction(1, "run"), state).progress > 0.0
    assert planner.plan(Frames(500_000_000, {}), Instruction(2, "run"), state).progress == 0.0


def test_absolute_positions_in_another_order(tmp_path: Path) -> None:
    goal = dict(zip(JOINT_NAMES, HOME + 0.05, strict=True)) | {"finger_joint": 0.01}
    names = sorted(JOINT_NAMES, reverse=True)
    path = tmp_path / "plan.yaml"
    path.write_text(
        f"joint_names: [{', '.join(names)}]\nrelative: false\n"
        f"waypoints: [{{seconds: 0.5, positions: {[float(goal[name]) for name in names]}}}]\n"
    )
    played, plans = run({"plan": str(path), "speed_scale": 1.0}, 4.0)
    assert plans[-1].state is PlanState.DONE
    assert played[-1] == pytest.approx([goal[name] for name in JOINT_NAMES], abs=1e-4)


def test_a_plan_that_leaves_the_limits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        f"joint_names: [{NAMES}]\nrelative: false\nwaypoints: [{{seconds: 1, positions: [0, 2, 0, -2, 0, 2, 0, 0]}}]\n"
    )
    _, plans = run({"plan": str(path)}, 1.0)
    assert plans[-1].state is PlanState.REFUSED
    assert "waypoint 1 takes joint2 to 2.000" in plans[-1].reasoning


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "plan.yaml:1: not YAML: expected the node content"),
        ("[]", "plan.yaml: expected joint_names, relative and a list of waypoints"),
        (f"joint_names: [{NAMES}]\nwaypoints: [{{seconds: 1, positions: []}}]", "relative: required and missing"),
        (
            f"joint_names: [{NAMES}]\nrelative: true\nwaypoints: [{{seconds: 1, positions: [0]}}]",
            "expected 8 values, got 1",
        ),
        (
            f"joint_names: [{NAMES}]\nrelative: true\nwaypoints: [{{seconds: 0, positions: [0]}}]",
            "waypoint 0: seconds: must be above",
        ),
        (f"joint_names: [{NAMES}]\nrelative: true\nwaypoints: [3]", "waypoint 0: seconds: required and missing"),
        ("joint_names: [a]\nrelative: true\nwaypoints: [{seconds: 1, positions: [0]}]", "joint a is not of this robot"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises((ParameterError, JointNamesError)) as error:
        system2("scripted", ROBOT, {"plan": str(path)})
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_offsets_without_names_fit_any_arm_with_as_many_joints() -> None:
    renamed = tuple(f"arm_{name}" for name in JOINT_NAMES)
    relative, course = load("wave", renamed)
    assert relative and len(course) == 16
    with pytest.raises(ParameterError, match="expected 7 values, got 8"):
        load("wave", renamed[:7])


def test_positions_without_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("joint_names: []\nrelative: false\nwaypoints: [{seconds: 1, positions: [0, 0, 0, 0, 0, 0, 0, 0]}]")
    with pytest.raises(ParameterError, match="joint1"):
        load(str(path), JOINT_NAMES)


def test_an_unknown_plan_is_refused() -> None:
    with pytest.raises(ParameterError, match="there is no file 'tango'"):
        system2("scripted", ROBOT, {"plan": "tango"})
