"""Rows of joint positions are joined without a jump, inside limits, and then followed exactly."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.policies.chunk_playing import derivatives, play
from vla_ros.policies.action_player import CHUNK_ROWS, ROW_S, ActionPlayer, sample
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.policy_parameters import MotionParameters
from vla_ros.policies.transition import Transition, motion_limits
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

KINEMATICS = Kinematics(urdf(), JOINT_NAMES)
LIMITS = motion_limits(MotionParameters(), KINEMATICS)
TRANSITION = Transition(LIMITS, KINEMATICS.arm)


def wave(rows: int, start_s: float = 0.0, shift: float = 0.0) -> np.ndarray:
    t = start_s + np.arange(rows) * ROW_S
    return HOME + shift + np.sin(2 * t)[:, None] * np.array([0.1] * 7 + [0.0])


def plan(rows: np.ndarray, stamp_ns: int = 0) -> Plan:
    return Plan(stamp_ns, Instruction(1, "go"), PlanState.ACTIVE, kind="actions", data=rows)


def test_rows_that_cannot_be_played_are_refused() -> None:
    with pytest.raises(ValueError, match="a value is not finite"):
        ActionPlayer("", TRANSITION).chunk(
            plan(np.full((5, 8), np.nan)), JointState(0, HOME, HOME * 0), Chunk.rest(HOME, 0), 3, 0
        )


def test_a_plan_is_played_at_the_time_that_its_frames_set() -> None:
    """What is late is joined where it is by then, so that the arm does not jump when a latency is misjudged."""
    rows = wave(120)
    for delay_ns in (0, 60_000_000, 300_000_000):
        previous = Chunk(wave(60, delay_ns / 1e9), ROW_S, delay_ns, chunk_id=1)
        chunk = ActionPlayer("hash", TRANSITION).chunk(plan(rows), JointState(0, HOME, HOME * 0), previous, 4, delay_ns)
        assert len(chunk.positions) == CHUNK_ROWS and chunk.prefix_length == 4
        assert chunk.positions == pytest.approx(wave(CHUNK_ROWS, delay_ns / 1e9), abs=2e-3)


def test_plans_that_disagree_make_no_jump() -> None:
    def disagreeing(now_ns: int, _: JointState) -> Plan:
        shift = 0.08 * (-1) ** (now_ns // 300_000_000) * np.array([1.0] * 7 + [0.0])
        return plan(wave(60, now_ns / 1e9, shift=shift), now_ns)

    played, _ = play(ActionPlayer("", TRANSITION), disagreeing, HOME, 4.0)
    velocity, acceleration, _ = derivatives(played)
    assert (np.abs(velocity) <= KINEMATICS.velocity).all()
    assert (np.abs(acceleration) <= 1.2 * LIMITS[1] + 0.1).all()


def test_samples_lie_on_the_rows_and_are_held_beyond_them() -> None:
    rows = wave(10)
    assert sample(rows, 3 * ROW_S) == pytest.approx(rows[3])
    assert sample(rows, -1.0) == pytest.approx(rows[0]) and sample(rows, 9.0) == pytest.approx(rows[-1])
    assert sample(rows, 0.25, row_s=0.1) == pytest.approx((rows[2] + rows[3]) / 2, abs=1e-3)


@pytest.mark.parametrize("steps", [1, 8])
def test_plans_along_a_line_keep_the_tool_on_it(steps: int) -> None:
    """Ten plans a second, each of so many steps of 25 mm at 5 Hz, each from where the one before led."""
    player, playing, base = ActionPlayer("weights", TRANSITION), Chunk.rest(HOME, 0), HOME
    line, worst_m = KINEMATICS.forward(HOME)[1:3, 3], 0.0
    for number in range(15):
        rows, pose = [base], KINEMATICS.forward(base)
        for _ in range(5 * steps):
            pose[0, 3] += 0.005
            rows.append(KINEMATICS.follow(pose, rows[-1]))
        course = np.array([sample(np.array(rows[::5]), row * ROW_S, 0.2) for row in range(10 * steps + 1)])
        start_ns = number * 10**8 + 80_000_000
        previous = playing.positions[round((start_ns - playing.start_ns) / 2e7) :] if number else playing.positions
        state = JointState(start_ns, HOME, np.zeros(8))
        shifted = Chunk(previous, ROW_S, start_ns)
        playing = player.chunk(plan(course, number * 10**8), state, shifted, 5 if number else 3, start_ns)
        base = sample(course, 0.1)
        worst_m = max(worst_m, *(np.abs(KINEMATICS.forward(q)[1:3, 3] - line).max() for q in playing.positions))
    assert worst_m < 0.01
