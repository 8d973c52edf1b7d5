"""System 1 beneath a VLM plays motions whatever the policy is, and leaves all else to the policy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from test.unit.policies.chunk_playing import derivatives, play
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.registry import Robot, system1
from vla_ros.policies.vlm.cartesian_motion import KIND, MotionPlanner, MotionSequence, joint_limits
from vla_ros.policies.vlm.metric_words import parse_motions
from vla_ros.policies.vlm.motion_player import MotionPlayer, system1_beneath_vlm
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES)
KINEMATICS = Kinematics(urdf(), JOINT_NAMES)
LIMITS = joint_limits(KINEMATICS, object())
PLANNER = MotionPlanner(KINEMATICS, LIMITS, VlmParameters(url="http://localhost/v1", model="m"))
FRAME_AGE_NS = 80_000_000


def sequence(text: str, q: np.ndarray = HOME) -> MotionSequence:
    return MotionSequence(PLANNER, KINEMATICS, parse_motions(text, 0.5, 3.0) or (), None, q)


def run(policy: str, text: str, q: np.ndarray = HOME, seconds: float = 15.0) -> np.ndarray:
    motions = sequence(text, q)

    def plan(now_ns: int, state: JointState) -> Plan | None:
        step = motions.step(now_ns - FRAME_AGE_NS, state)
        assert not step.failure
        if step.rows is None:
            return None
        return Plan(now_ns - FRAME_AGE_NS, Instruction(1, text), PlanState.ACTIVE, kind=KIND, data=step.rows)

    return play(system1_beneath_vlm(policy, ROBOT), plan, q, seconds)[0]


@pytest.mark.parametrize("policy", ["classical", "compact", "scripted"])
def test_every_policy_obeys_metric_words(policy: str) -> None:
    played = run(policy, "move 20 cm forward")
    start, end = KINEMATICS.forward(HOME), KINEMATICS.forward(played[-1])
    assert end[:3, 3] - start[:3, 3] == pytest.approx((0.2, 0, 0), abs=2e-3)
    velocity, acceleration, jerk = derivatives(played)
    for value, limit in zip((velocity, acceleration, jerk), LIMITS, strict=True):
        assert (np.abs(value) <= 1.02 * limit + 1e-6).all()


def test_the_gripper_moves_smoothly_between_motions() -> None:
    q = HOME.copy()
    q[-1] = 0.02
    played = run("classical", "move 3 cm up, open the gripper, move 3 cm down, close the gripper", q)
    velocity, acceleration, _ = derivatives(played)
    assert (np.abs(velocity) <= 1.02 * LIMITS[0] + 1e-6).all()
    assert (np.abs(acceleration) <= 1.02 * LIMITS[1] + 1e-6).all()
    assert played[:, -1].max() == pytest.approx(0.0395, abs=1e-4)
    assert played[-1, -1] == pytest.approx(0.0005, abs=1e-4)


def test_a_grip_is_held_where_it_was_commanded_not_where_the_fingers_are() -> None:
    player = system1_beneath_vlm("classical", ROBOT)
    held = HOME.copy()
    held[-1] = 0.0005  # commanded; the object keeps the fingers at 2 cm
    measured = held.copy()
    measured[-1] = 0.02
    step = sequence("move 5 cm up", measured).step(0, JointState(0, measured, np.zeros(8)))
    plan = Plan(0, Instruction(1, ""), PlanState.ACTIVE, kind=KIND, data=step.rows)
    chunk = player.chunk(plan, JointState(0, measured, np.zeros(8)), Chunk.rest(held, 0), 3, 0)
    assert (chunk.positions[:, -1] == held[-1]).all()


def test_the_prefix_is_taken_over_unchanged_and_motion_goes_on_from_it() -> None:
    player = system1_beneath_vlm("classical", ROBOT)
    moving = HOME + np.linspace(0, 0.05, 36)[:, None] * np.array([1.0] + [0.0] * 7)
    previous = Chunk(moving, player.dt_s, 0, chunk_id=4)
    step = sequence("move 5 cm up").step(0, JointState(0, HOME, np.zeros(8)))
    plan = Plan(0, Instruction(1, ""), PlanState.ACTIVE, kind=KIND, data=step.rows, plan_id=3)
    chunk = player.chunk(plan, JointState(0, HOME, np.zeros(8)), previous, 6, 0)
    assert (chunk.positions[:6] == moving[:6]).all()
    assert chunk.prefix_length == 6 and chunk.plan_id == 3
    speed = np.diff(chunk.positions[:, 0]) / player.dt_s
    assert np.abs(np.diff(speed)).max() / player.dt_s < 1.02 * LIMITS[1, 0]
    assert len(chunk.positions) == 35


@pytest.mark.parametrize(
    "data",
    [np.zeros((0, 8)), np.zeros((3, 7)), np.zeros(8), np.zeros((2, 2, 8)), np.full((3, 8), np.inf)],
)
def test_torn_rows_are_one_line(data: np.ndarray) -> None:
    plan = Plan(0, Instruction(1, ""), PlanState.ACTIVE, kind=KIND, data=data)
    with pytest.raises(ValueError, match="motion: expected rows of 8 finite values or NaN, got shape"):
        system1_beneath_vlm("classical", ROBOT).chunk(plan, JointState(0, HOME, HOME), Chunk.rest(HOME, 0), 3, 0)


def test_other_plans_are_the_policys() -> None:
    policy, player = system1("scripted", ROBOT, {}), system1_beneath_vlm("scripted", ROBOT)
    assert isinstance(player, MotionPlayer)
    assert (player.checkpoint, player.dt_s) == (policy.checkpoint, policy.dt_s)
    rows = HOME + 0.01 * np.sin(np.arange(120)[:, None] / 20)
    plan = Plan(0, Instruction(1, ""), PlanState.ACTIVE, kind="actions", data=rows)
    state = JointState(0, HOME, np.zeros(8))
    mine, theirs = (half.chunk(plan, state, Chunk.rest(HOME, 0), 3, 0) for half in (player, policy))
    assert (mine.positions == theirs.positions).all()
    assert replace(mine, positions=theirs.positions) == theirs


class Slow:
    """A System 1 whose rows are as far apart as those of many trained models."""

    checkpoint, dt_s = "weights", 0.05

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        raise AssertionError("the plan is a motion")


def test_rows_come_at_the_policys_own_rate_and_are_due_when_they_are_played() -> None:
    player = MotionPlayer(Slow(), ROBOT, object())
    rows = np.repeat(HOME[None], 120, axis=0)
    rows[:, 0] += 0.1 * (1 - np.cos(np.pi * np.arange(120) / 119)) / 2
    plan = Plan(0, Instruction(1, ""), PlanState.ACTIVE, kind=KIND, data=rows)
    state = JointState(0, HOME, np.zeros(8))
    chunk = player.chunk(plan, state, Chunk.rest(HOME, 0), 1, 0)
    assert (chunk.dt_s, len(chunk.positions)) == (0.05, 14)
    expected = np.interp(0.05 * np.arange(14), 0.02 * np.arange(120), rows[:, 0])
    assert chunk.positions[:, 0] == pytest.approx(expected, abs=2e-4)
