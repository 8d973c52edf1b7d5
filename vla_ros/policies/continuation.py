"""How a chunk goes on from the one before: with its position, velocity and acceleration, and no more jerk than allowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from ruckig import InputParameter, Ruckig, RuckigError, Synchronization, Trajectory

from vla_ros.arrays import Array


def around(positions: Array, row: int) -> Array:
    """Return (3, n): the rows before, at and after `row`; beyond the ends they go on with constant acceleration."""
    if len(positions) < 3:
        return positions[[row, row, row]]
    first, last = positions[:3], positions[-3:]
    before = 3 * first[0] - 3 * first[1] + first[2]
    after = 3 * last[2] - 3 * last[1] + last[0]
    return np.stack([before, *positions, after])[row : row + 3]


def to_rest(
    samples: Array, dt_s: float, target: ArrayLike, velocity: ArrayLike, acceleration: ArrayLike, jerk: ArrayLike
) -> Trajectory:
    """Return the fastest motion to rest at `target` that starts as the samples say.

    Args:
        samples: (3, dofs) positions one step before, at and after the start; their differences are its velocity and
            acceleration.
        dt_s: length of the step.
        target: (dofs,) position.
        velocity, acceleration, jerk: (dofs,) limits, positive.

    Source: Berscheid and Kröger, "Jerk-limited Real-time Trajectory Generation with Arbitrary Target States", RSS 2021.
    """
    target, acceleration = np.asarray(target, np.float64), np.asarray(acceleration, np.float64)
    speed = (samples[2] - samples[0]) / (2 * dt_s)
    curvature = np.clip((samples[2] - 2 * samples[1] + samples[0]) / dt_s**2, -acceleration, acceleration)
    problem = InputParameter(len(target))
    # What is below the noise of the differences counts as zero: it would only upset the search for a common duration.
    problem.current_position = np.where(np.abs(samples[1] - target) < 1e-7, target, samples[1])
    problem.current_velocity = np.where(np.abs(speed) < 1e-6, 0.0, speed)
    problem.current_acceleration = np.where(np.abs(curvature) < 1e-3, 0.0, curvature)
    problem.target_position = target
    problem.max_velocity, problem.max_acceleration, problem.max_jerk = velocity, acceleration, jerk
    trajectory = Trajectory(len(target))
    try:
        Ruckig(len(target)).calculate(problem, trajectory)
    except RuckigError:  # no common duration, a hair from rest: then each coordinate takes its own
        problem.synchronization = Synchronization.No
        Ruckig(len(target)).calculate(problem, trajectory)
    return trajectory
