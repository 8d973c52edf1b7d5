"""A chunk goes on from the one before: with its position, velocity and acceleration."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.policies.continuation import around, to_rest

DT_S = 0.02
LIMITS = (np.array([1.0]), np.array([4.0]), np.array([40.0]))


def test_rows_beyond_the_ends_go_on_with_constant_acceleration() -> None:
    positions = (np.arange(6.0) ** 2)[:, None]
    assert around(positions, 5)[:, 0] == pytest.approx([16.0, 25.0, 36.0])
    assert around(positions, 0)[:, 0] == pytest.approx([1.0, 0.0, 1.0])
    assert around(positions, 2)[:, 0] == pytest.approx([1.0, 4.0, 9.0])


def test_two_rows_are_taken_for_rest() -> None:
    assert (around(np.array([[1.0], [2.0]]), 1) == 2.0).all()


def test_motion_to_rest_starts_as_the_samples_say_and_ends_at_the_target() -> None:
    trajectory = to_rest(np.array([[0.0], [0.01], [0.02]]), DT_S, np.array([0.3]), *LIMITS)
    position, velocity, _ = trajectory.at_time(0.0)
    assert position[0] == pytest.approx(0.01) and velocity[0] == pytest.approx(0.5)
    position, velocity, acceleration = trajectory.at_time(trajectory.duration)
    assert (position[0], velocity[0], acceleration[0]) == pytest.approx((0.3, 0.0, 0.0), abs=1e-6)


def test_motion_to_rest_stays_inside_its_limits() -> None:
    trajectory = to_rest(np.array([[0.0], [0.0], [0.0]]), DT_S, np.array([0.5]), *LIMITS)
    for t_s in np.linspace(0, trajectory.duration, 100):
        _, velocity, acceleration = trajectory.at_time(t_s)
        assert abs(velocity[0]) <= 1.0 + 1e-9 and abs(acceleration[0]) <= 4.0 + 1e-9
