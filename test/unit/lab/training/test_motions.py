import numpy as np
import pytest

from vla_ros.lab.training import motions
from vla_ros.policies.compact.model_config import Sizes

SIZES = Sizes()


@pytest.fixture(scope="module")
def some():
    return motions.examples(np.random.default_rng(0), SIZES, 120)


def test_a_motion_stays_inside_its_limits_and_ends_at_its_goal():
    start = np.array([0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.04])
    goals = [
        motions.HandGoal(np.array([0.2, 0.1, 0.1, 0.0, 0.0, 0.5, 0.04]), 0.35),
        motions.HandGoal(np.array([0.2, 0.1, 0.02, 0.0, 0.0, 0.5, 0.04]), 0.12),
    ]
    states, towards = motions.play(np.repeat(start[None], 3, 0), goals, 300)
    np.testing.assert_allclose(states[0], start)
    np.testing.assert_allclose(states[-1], goals[-1].state, atol=1e-4)
    assert sorted(set(towards.tolist())) == [0, 1]
    velocity = np.diff(states[:, :3], axis=0) / motions.STEP_S
    assert np.linalg.norm(velocity, axis=1).max() < 0.36
    assert np.abs(np.diff(velocity, axis=0) / motions.STEP_S).max() < 0.75


def test_examples_begin_where_the_hand_is_and_go_on_smoothly(some):
    np.testing.assert_allclose(some["rows"][:, 0, :6], 0.0, atol=1e-6)
    assert np.isfinite(some["rows"]).all() and np.isfinite(some["motion"]).all()
    assert (some["prefix_rows"] >= 1).all() and some["prefix_rows"].max() > 1
    assert np.linalg.norm(np.diff(some["rows"][..., :3], axis=1), axis=-1).max() < 0.36 * SIZES.dt_s


def test_a_turned_table_turns_the_motion_and_nothing_else(some):
    quarter = motions.rotated(some, np.full(len(some), np.pi / 2))
    np.testing.assert_allclose(quarter["rows"][..., 0], -some["rows"][..., 1], atol=1e-6)
    np.testing.assert_allclose(quarter["rows"][..., 2:3], some["rows"][..., 2:3])
    np.testing.assert_allclose(quarter["waypoints"][..., 1], some["waypoints"][..., 0], atol=1e-6)
    np.testing.assert_allclose(quarter["motion"][:, [6, 7, 10, 11, 12, 16]], some["motion"][:, [6, 7, 10, 11, 12, 16]])
    back = motions.rotated(quarter, np.full(len(some), -np.pi / 2))
    for name in some.dtype.names:
        np.testing.assert_allclose(back[name], some[name], atol=1e-5)
