"""How System 1 leads the arm from the rows that it plays onto those of a new plan: all joints of the arm by one linear law.

The offset between the two decays as e''' = -3w e'' - 3w² e' - w³ e, with one rate w for all joints that move the tool. So the
tool's offset keeps its direction, and a plan that goes on where the one before led changes nothing. Ways of joints that each
take their shortest time do neither: with ten plans a second they lead the tool off a line.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.continuation import around
from vla_ros.policies.policy_parameters import MotionParameters
from vla_ros.robot.kinematics import Kinematics

DECAY_RATES: Array = 35.0 * np.power(0.85, np.arange(23.0))
"""1/s, from fastest to slowest; at the fastest 1 % of an offset is left after 0.24 s."""

SLACK = 0.02
"""Share by which the limits may be passed: where no rate keeps them, the fastest of those that pass them least is taken."""


def motion_limits(motion: MotionParameters, kinematics: Kinematics) -> Array:
    """Return (3, n): velocity, acceleration and jerk that a policy without weights may ask of every joint.

    Raises:
        ParameterError: a list of `motion` is for another number of joints.
    """
    limits = np.empty((3, len(kinematics.joint_names)))
    limits[:] = np.array([[motion.finger_velocity_m_s], [motion.finger_acceleration_m_s2], [motion.finger_jerk_m_s3]])
    limits[:, kinematics.arm] = motion.arm_limits(kinematics.velocity[kinematics.arm].tolist())
    return limits


class Transition:
    """Leads onto new rows, inside the limits.

    Args:
        limits: (3, n) velocity, acceleration and jerk of each joint; `motion_limits` where nothing else bounds them.
        arm: the joints that move the tool; each of the others has a rate of its own.
    """

    def __init__(self, limits: Array, arm: Iterable[int]) -> None:
        moving = [int(joint) for joint in arm]
        self._limits = limits
        self._groups = [moving, *([joint] for joint in range(limits.shape[1]) if joint not in moving)]

    @classmethod
    def of(cls, motion: MotionParameters, kinematics: Kinematics, scale: float = 1.0) -> Transition:
        """Return that inside `motion_limits` times `scale`."""
        return cls(motion_limits(motion, kinematics) * scale, kinematics.arm)

    def onto(self, rows: Array, previous: Array, prefix_length: int, dt_s: float) -> Array:
        """Return (T, n): `previous[:prefix_length]` unchanged (at least its first row), then rows that lead onto `rows`.

        Args:
            rows: (T, n) where to; row k is due with `previous[k]`. A prefix that is longer makes T longer.
            previous: (P, n) what is played now, P >= 1.
            prefix_length: so many rows of it are fixed.
            dt_s: between rows.

        Raises:
            ValueError: no rows, of another width, or not finite.
        """
        rows = np.asarray(rows, np.float64)
        check_rows(rows, previous.shape[1])
        course = np.vstack([around(rows, 0)[:1], rows, around(rows, len(rows) - 1)[2:]])
        missing = min(max(prefix_length, 1), len(previous)) + 2 - len(course)
        if missing > 0:  # held beyond their end
            course = np.vstack([course, np.repeat(rows[-1:], missing, axis=0)])
        return self.join(course, previous, prefix_length, dt_s)

    def join(self, course: Array, previous: Array, prefix_length: int, dt_s: float) -> Array:
        """As `onto`. course: (T + 2, n), with a row before the first and one behind the last."""
        start = previous[: min(max(prefix_length, 1), len(previous))]
        now = len(start) - 1
        before = around(previous, now)
        offset = before - course[now : now + 3]
        times_s: Array = dt_s * (np.arange(len(course) - now, dtype=np.float64) - 1.0)
        joined = course[now:].copy()
        for group in self._groups:
            limits = self._limits[:, group]
            ways = course[None, now:, group] + _decays(offset[:, group], dt_s, times_s, limits[1])
            # What is asked of the joints already, by the rows and by what is played, is no reason to be slow.
            asked = np.maximum(_peaks(course[now:, group], dt_s), _peaks(before[:, group], dt_s))
            excess = (_peaks(ways, dt_s) / np.maximum(limits, asked)).max(axis=(1, 2))
            joined[:, group] = ways[np.argmax(excess <= max(1.0, excess.min()) * (1 + SLACK))]
        positions = joined[1 : len(course) - 1 - now]
        return np.vstack([start, positions[1:]])


def check_rows(rows: Array, width: int) -> None:
    """Raise ValueError unless rows are (T, width), T >= 1, and finite."""
    if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
        raise ValueError(f"actions: expected rows of {width} values, got shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("actions: a value is not finite")


def _decays(offset: Array, dt_s: float, times_s: Array, acceleration: Array) -> Array:
    """Return (rates, T, n) the offset at times_s (T,) by each rate; offset (3, n): a step before, at and after time 0."""
    position, velocity = offset[1], (offset[2] - offset[0]) / (2 * dt_s)
    curvature = np.clip((offset[2] - 2 * offset[1] + offset[0]) / dt_s**2, -acceleration, acceleration)
    w, t = DECAY_RATES[:, None, None], times_s[None, :, None]
    linear = velocity + w * position
    quadratic = (curvature + 2 * w * velocity + w * w * position) / 2
    decays: Array = (position + (linear + quadratic * t) * t) * np.exp(-w * t)
    return decays


def _peaks(positions: Array, dt_s: float) -> Array:
    """Return (..., 3, n) the largest velocity, acceleration and jerk of (..., T, n) by differences."""
    peaks, difference = [], positions
    for _ in range(3):
        difference = np.diff(difference, axis=-2) / dt_s
        peaks.append(np.abs(difference).max(axis=-2, initial=0.0))
    return np.stack(peaks, axis=-2)
