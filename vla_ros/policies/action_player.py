"""System 1 of every policy whose System 2 sends rows of joint positions: it leads the arm onto them and along them."""

from __future__ import annotations

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.continuation import around, to_rest
from vla_ros.policies.contract import Chunk, JointState, Plan
from vla_ros.policies.policy_parameters import MotionParameters
from vla_ros.robot.kinematics import Kinematics
from vla_ros.time import NS_PER_S

ROW_S = 0.02
"""Between the rows of an "actions" plan, and of the chunks made from it."""
CHUNK_ROWS = 36
"""0.7 s."""


def half_limits(motion: MotionParameters, kinematics: Kinematics) -> Array:
    """Return (3, n): half the limits of velocity, acceleration and jerk of every joint.

    One half is for the rows, the other for the way onto them: both together stay inside the whole.

    Raises:
        ParameterError: a list of `motion` is for another number of joints.
    """
    limits = np.empty((3, len(kinematics.joint_names)))
    limits[:] = np.array([[motion.finger_velocity_m_s], [motion.finger_acceleration_m_s2], [motion.finger_jerk_m_s3]])
    limits[:, kinematics.arm] = motion.arm_limits(kinematics.velocity[kinematics.arm].tolist())
    return limits / 2


def lead_onto(rows: Array, previous: Array, prefix_length: int, dt_s: float, limits: Array) -> Array:
    """Return (T, n): `previous[:prefix_length]` unchanged (at least its first row), then rows that lead onto `rows`.

    The distance between the two where they meet, with its velocity and acceleration, decays to zero; so the result is as
    smooth as both, and jumps nowhere.

    Args:
        rows: (T, n) where to; row k is due with `previous[k]`. A prefix that is longer makes T longer.
        previous: (P, n) what is played now, P >= 1.
        prefix_length: so many rows of it are fixed.
        dt_s: between rows.
        limits: (3, n) velocity, acceleration and jerk of the decay.

    Raises:
        ValueError: no rows, of another width, or not finite.
    """
    rows = np.asarray(rows, np.float64)
    _check(rows, previous.shape[1])
    extended = np.vstack([around(rows, 0)[:1], rows, around(rows, len(rows) - 1)[2:]])
    missing = min(max(prefix_length, 1), len(previous)) + 2 - len(extended)
    if missing > 0:  # held beyond their end
        extended = np.vstack([extended, np.repeat(rows[-1:], missing, axis=0)])
    return _join(extended, previous, prefix_length, dt_s, limits)


class ActionPlayer:
    """System 1 that plays an "actions" plan.

    Args:
        checkpoint: that of the System 2 whose plans it plays.
        limits: (3, n) velocity, acceleration and jerk of the way onto the rows; `half_limits` where nothing else bounds them.
    """

    dt_s = ROW_S

    def __init__(self, checkpoint: str, limits: Array) -> None:
        self.checkpoint = checkpoint
        self._limits = limits

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        """Return the next 0.7 s; see `contract.System1`."""
        rows = np.asarray(plan.data, np.float64)
        _check(rows, len(joint_state.q))
        prefix_length = min(prefix_length, len(previous.positions))
        age_s = (start_ns - plan.frame_stamp_ns) / NS_PER_S
        count = max(CHUNK_ROWS, prefix_length)
        course = np.array([sample(rows, age_s + row * ROW_S) for row in range(-1, count + 1)])
        positions = _join(course, previous.positions, prefix_length, ROW_S, self._limits)
        return Chunk(
            positions,
            ROW_S,
            start_ns,
            plan_id=plan.plan_id,
            frame_stamp_ns=plan.frame_stamp_ns,
            prefix_length=prefix_length,
        )


def sample(rows: Array, time_s: float, row_s: float = ROW_S) -> Array:
    """Return (n,): the rows, `row_s` apart, at `time_s`, by the cubic through the four around it; held beyond the ends."""
    at = min(max(time_s / row_s, 0.0), len(rows) - 1.0)
    index = int(at)
    u = at - index
    a, b, c, d = rows[np.clip(np.arange(index - 1, index + 3), 0, len(rows) - 1)]
    value: Array = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
    return value


def _check(rows: Array, width: int) -> None:
    if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
        raise ValueError(f"actions: expected rows of {width} values, got shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("actions: a value is not finite")


def _join(course: Array, previous: Array, prefix_length: int, dt_s: float, limits: Array) -> Array:
    """As `lead_onto`. course: (T + 2, n), with a row before the first and one behind the last."""
    start = previous[: min(max(prefix_length, 1), len(previous))]
    now = len(start) - 1
    offset = around(previous, now) - course[now : now + 3]
    way = to_rest(offset, dt_s, np.zeros(offset.shape[1]), *limits)
    positions = np.empty((len(course) - 2, course.shape[1]))
    positions[: len(start)] = start
    for row in range(len(start), len(positions)):
        positions[row] = course[row + 1] + way.at_time((row - now) * dt_s)[0]
    return positions
