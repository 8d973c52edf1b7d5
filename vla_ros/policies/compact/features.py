"""Inputs of the network, computed from poses and joints, in training and at run time alike.

All arrays are batches: `...` stands for any leading dimensions. Positions are in the base frame with z above the table
top, m; angles rad.
"""

from __future__ import annotations

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.compact.model_config import MOTION_FEATURES, OBJECT_FEATURES, STATE_FEATURES, WAYPOINT_FEATURES

CENTRE = np.array([0.5, 0.0, 0.1])  # of the workspace
HEIGHTS = np.array([0.025, 0.06, 0.11, 0.18])  # of the tool, at which subtasks change
OPENINGS = np.array([0.006, 0.0255, 0.031])  # of a finger: closed on nothing, closed on an object, open
SPEED_M_S, ACCELERATION_M_S2, FINGER_M, FINGER_M_S = 0.35, 0.7, 0.04, 0.08
MAX_PLAN_AGE_S = 0.4


def yaw_of(rotation: Array) -> Array:
    """Return the yaw (...) of a hand that points down: direction of the tool's x axis in rotations (..., 3, 3)."""
    yaw: Array = np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    return yaw


def pointing_down(yaw: Array) -> Array:
    """Return rotations (..., 3, 3) of a hand that points down, its x axis along `yaw` (...)."""
    c, s, zero = np.cos(yaw), np.sin(yaw), np.zeros_like(yaw)
    rows = [np.stack(row, -1) for row in ([c, s, zero], [s, -c, zero], [zero, zero, zero - 1.0])]
    return np.stack(rows, -2)


def state_features(q: Array, finger: Array, finger_velocity: Array, p_tool: Array, yaw: Array) -> Array:
    """Return features (..., STATE_FEATURES) of the arm.

    Args:
        q: (..., 7) joints of the arm, rad.
        finger: (...) opening of one finger, m.
        finger_velocity: (...) m/s.
        p_tool: (..., 3).
        yaw: (...) of the hand.
    """
    values = np.concatenate(
        [
            q / 2.0,
            (finger / FINGER_M)[..., None],
            np.tanh((finger[..., None] - OPENINGS) / 0.003),
            np.tanh(finger_velocity / 0.02)[..., None],
            (p_tool - CENTRE) / 0.2,
            np.tanh((p_tool[..., 2:] - HEIGHTS) / 0.012),
            np.stack([turn(fold * yaw) for fold in (1, 2, 4) for turn in (np.cos, np.sin)], -1),
        ],
        -1,
    )
    assert values.shape[-1] == STATE_FEATURES
    return values


def object_features(p: Array, yaw4: Array, presence: Array, std_m: Array, p_tool: Array, reference: Array) -> Array:
    """Return features (..., OBJECT_FEATURES) of one object.

    Args:
        p: (..., 3) its centre.
        yaw4: (..., 2) cosine and sine of four times its yaw.
        presence: (...) probability that it is in view.
        std_m: (...) standard deviation of its position.
        p_tool: (..., 3).
        reference: (..., 3) position that it is compared with: of x, its own at the start of the step; of y, that of x.
    """
    from_tool, offset = p - p_tool, p - reference
    tool_distance = np.linalg.norm(from_tool[..., :2], axis=-1)
    distance = np.linalg.norm(offset[..., :2], axis=-1)
    values = np.concatenate(
        [
            (p - CENTRE) / 0.2,
            from_tool / 0.2,
            np.tanh(from_tool / 0.015),
            yaw4,
            np.stack(
                [tool_distance / 0.2, np.tanh(tool_distance / 0.015), distance / 0.1, np.tanh(distance / 0.04)], -1
            ),
            offset[..., :2] / 0.1,
            np.tanh(offset[..., 2:] / 0.02),
            np.stack([presence, np.log(std_m / 0.005)], -1),
        ],
        -1,
    )
    assert values.shape[-1] == OBJECT_FEATURES
    return values


def waypoint_features(p: Array, yaw: Array, gripper: Array, speed: Array, p_tool: Array, tool_yaw: Array) -> Array:
    """Return features (..., WAYPOINT_FEATURES) of a waypoint.

    Args:
        p: (..., 3) of the tool at the waypoint.
        yaw: (...) of the tool there.
        gripper: (...) opening of one finger there, m.
        speed: (...) of the tool on the way there, m/s.
        p_tool, tool_yaw: (..., 3) and (...), of the tool now.
    """
    remaining = p - p_tool
    turn = (yaw - tool_yaw + np.pi) % (2 * np.pi) - np.pi
    values = np.concatenate(
        [
            remaining / 0.2,
            np.tanh(remaining / 0.02),
            np.stack(
                [turn, gripper / FINGER_M, speed / SPEED_M_S, np.tanh(np.linalg.norm(remaining, axis=-1) / 0.05)], -1
            ),
        ],
        -1,
    )
    assert values.shape[-1] == WAYPOINT_FEATURES
    return values


def motion_features(
    velocity: Array, acceleration: Array, yaw_rates: Array, tilt: Array, finger: Array, lag: Array, age_s: Array
) -> Array:
    """Return features (..., MOTION_FEATURES) of the commanded motion at the last committed row of the chunk.

    Args:
        velocity, acceleration: (..., 3) of the tool, m/s and m/s^2.
        yaw_rates: (..., 2) yaw rate and its derivative, rad/s and rad/s^2.
        tilt: (..., 2) x and y of the rotation vector, in base axes, from the hand to one that points down.
        finger: (..., 3) commanded opening, its velocity, measured opening, m and m/s.
        lag: (..., 3) of the tool behind its command, m: not measured, but -0.03 s times the velocity, in training with
            noise.
        age_s: (...) of the plan.
    """
    values = np.concatenate(
        [
            velocity / SPEED_M_S,
            acceleration / ACCELERATION_M_S2,
            yaw_rates / (1.0, 2.0),
            tilt / 0.2,
            finger / (FINGER_M, FINGER_M_S, FINGER_M),
            np.tanh(lag / 0.02),
            (age_s / MAX_PLAN_AGE_S)[..., None],
            np.tanh(np.linalg.norm(velocity, axis=-1) / 0.03)[..., None],
        ],
        -1,
    )
    assert values.shape[-1] == MOTION_FEATURES
    return values


def push_direction(side: str, start: Array, target: Array) -> float:
    """Return the direction of a push, rad from the x axis of the base.

    Args:
        side: "left", "right", or "none" where the object is pushed to a target.
        start, target: (2,) or (3,) positions of the object at the start of the step, and of the target.
    """
    if side != "none":
        return np.pi / 2 if side == "left" else -np.pi / 2
    return float(np.arctan2(target[1] - start[1], target[0] - start[0]))


OUT_OF_RANGE_COST = 4.0  # of a radian outside the range of the wrist; one on the way costs 1


def nearest_symmetric_yaw(
    angle: Array, fold: int, yaw: Array, yaw_range: tuple[float, float] = (-np.inf, np.inf)
) -> Array:
    """Return (...) the cheapest of the equivalent yaws angle + k * 2 pi / fold.

    Args:
        angle: (...) one of them.
        fold: order of the symmetry.
        yaw: (...) of the hand now; the way to it costs 1 a radian, the distance from 0 half as much.
        yaw_range: that the wrist can reach; outside it costs OUT_OF_RANGE_COST a radian.
    """
    part = 2 * np.pi / fold
    candidates = np.asarray(angle)[..., None] + part * np.arange(-fold, fold + 1)
    outside = np.maximum(np.maximum(yaw_range[0] - candidates, candidates - yaw_range[1]), 0.0)
    cost = np.abs(candidates - np.asarray(yaw)[..., None]) + 0.5 * np.abs(candidates) + OUT_OF_RANGE_COST * outside
    chosen: Array = np.take_along_axis(candidates, cost.argmin(-1)[..., None], -1)[..., 0]
    return chosen
