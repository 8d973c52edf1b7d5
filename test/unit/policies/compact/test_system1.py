"""System 1 of the compact policy with a tiny network of random weights: what it keeps whatever it has learned."""

import numpy as np
import pytest

from test.unit.policies.compact.tiny import AT_HOME, ROBOT, SIZES, frames, state
from vla_ros.policies.contract import MOTION_ROWS, Chunk, Instruction, JointState
from vla_ros.policies.registry import system1
from vla_ros.sim.arm_description import HOME


def test_a_chunk_keeps_what_is_committed_and_is_the_same_twice(halves):
    planner, expert = halves
    plan = planner.plan(frames(), Instruction(4, "pick up the red cube"), state())
    first = expert.chunk(plan, state(), AT_HOME, MOTION_ROWS, 20_000_000)
    assert first.positions.shape == ((SIZES.rows - 1) * 2 + 1, 8) and first.prefix_length == MOTION_ROWS
    np.testing.assert_allclose(first.positions[:3], [HOME] * 3, atol=1e-9)
    previous = Chunk(first.positions[5:], first.dt_s, 120_000_000)
    again = JointState(100_000_000, first.positions[4], np.zeros(8))
    second, third = (expert.chunk(plan, again, previous, 4, 120_000_000) for _ in range(2))
    np.testing.assert_array_equal(second.positions[:4], previous.positions[:4])
    np.testing.assert_array_equal(second.positions, third.positions)
    assert second.prefix_length == 4
    lower, upper = expert._kinematics.lower, expert._kinematics.upper
    assert (second.positions >= lower - 1e-9).all() and (second.positions <= upper + 1e-9).all()


def test_fingers_neither_reach_their_stops_nor_jump(halves):
    planner, expert = halves
    plan = planner.plan(frames(), Instruction(6, "pick up the red cube"), state())
    finger = expert.chunk(plan, state(), AT_HOME, MOTION_ROWS, 20_000_000).positions[:, -1]
    speed, acceleration = np.diff(finger) / 0.02, np.diff(finger, 2) / 0.02**2
    assert finger[1:].min() > 0.0 and finger[1:].max() <= HOME[-1]
    assert np.ptp(finger) > 0.01, "this network wants to close them"
    assert np.abs(speed).max() < 0.1 and np.abs(acceleration).max() < 1.0


@pytest.mark.parametrize("steps", [1, 10])
def test_the_number_of_euler_steps_can_be_chosen(folder, halves, steps):
    expert = system1("compact", ROBOT, {"checkpoint": str(folder), "euler_steps": steps})
    plan = halves[0].plan(frames(), Instruction(5, "pick up the red cube"), state())
    assert np.isfinite(expert.chunk(plan, state(), AT_HOME, MOTION_ROWS, 0).positions).all()
