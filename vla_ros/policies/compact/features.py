"""Numbers that the network is given, out of poses and joints. Training and the running policy both call these.

All arrays are batches: `...` stands for any leading dimensions. Positions are in the base frame with z counted from the
table top, m; angles rad.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.compact.model_config import AHEAD, MOVING, OBJECT, STATE

Array = NDArray[np.float64]

CENTRE = np.array([0.5, 0.0, 0.1])  # of where things happen
HEIGHTS = np.array([0.025, 0.06, 0.11, 0.18])  # of the tool, that tell the subtasks apart
OPENINGS = np.array([0.006, 0.0255, 0.031])  # of a finger: empty, on a thing, open
SPEED_M_S, ACCELERATION_M_S2, FINGER_M, FINGER_M_S = 0.35, 0.7, 0.04, 0.08
LONGEST_AGE_S = 0.4


def yaw_of(rotation: Array) -> Array:
    """Return the yaw (...) of a hand that points down: direction of the tool's x axis in rotations (..., 3, 3)."""
    yaw: Array = np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    return yaw


def pointing_down(yaw: Array) -> Array:
    """Return rotations (..., 3, 3) of a hand that points down, its x axis along `yaw` (...)."""
    c, s, zero = np.cos(yaw), np.sin(yaw), np.zeros_like(yaw)
    rows = [np.stack(row, -1) for row in ([c, s, zero], [s, -c, zero], [zero, zero, zero - 1.0])]
    return np.stack(rows, -2)


def state_features(q: Array, finger: Array, finger_speed: Array, p_tool: Array, yaw: Array) -> Array:
    """Return (..., STATE).

    Args:
        q: (..., 7) arm. finger: (...) opening of one finger, m. finger_speed: (...) m/s. p_tool: (..., 3). yaw: (...).
    """
    values = np.concatenate(
        [
            q / 2.0,
            (finger / FINGER_M)[..., None],
            np.tanh((finger[..., None] - OPENINGS) / 0.003),
            np.tanh(finger_speed / 0.02)[..., None],
            (p_tool - CENTRE) / 0.2,
            np.tanh((p_tool[..., 2:] - HEIGHTS) / 0.012),
            np.stack([turn(fold * yaw) for fold in (1, 2, 4) for turn in (np.cos, np.sin)], -1),
        ],
        -1,
    )
    assert values.shape[-1] == STATE
    return values


def object_features(p: Array, yaw4: Array, seen: Array, sigma: Array, p_tool: Array, other: Array) -> Array:
    """Return (..., OBJECT) about one thing.

    Args:
        p: (..., 3) its centre. yaw4: (..., 2) cosine and sine of four times its yaw. seen: (...) probability that it is
            there. sigma: (...) standard deviation of its place, m. p_tool: (..., 3). other: (..., 3) place it is
            compared with: of x, where it was when the step began; of y, where x is.
    """
    from_tool, away = p - p_tool, p - other
    level, apart = np.linalg.norm(from_tool[..., :2], axis=-1), np.linalg.norm(away[..., :2], axis=-1)
    values = np.concatenate(
        [
            (p - CENTRE) / 0.2,
            from_tool / 0.2,
            np.tanh(from_tool / 0.015),
            yaw4,
            np.stack([level / 0.2, np.tanh(level / 0.015), apart / 0.1, np.tanh(apart / 0.04)], -1),
            away[..., :2] / 0.1,
            np.tanh(away[..., 2:] / 0.02),
            np.stack([seen, np.log(sigma / 0.005)], -1),
        ],
        -1,
    )
    assert values.shape[-1] == OBJECT
    return values


def ahead_features(p: Array, yaw: Array, gripper: Array, speed: Array, p_tool: Array, tool_yaw: Array) -> Array:
    """Return (..., AHEAD) about a waypoint: tool at p (..., 3) and yaw (...), from the tool that is at p_tool."""
    left = p - p_tool
    turn = (yaw - tool_yaw + np.pi) % (2 * np.pi) - np.pi
    values = np.concatenate(
        [
            left / 0.2,
            np.tanh(left / 0.02),
            np.stack([turn, gripper / FINGER_M, speed / SPEED_M_S, np.tanh(np.linalg.norm(left, axis=-1) / 0.05)], -1),
        ],
        -1,
    )
    assert values.shape[-1] == AHEAD
    return values


def moving_features(
    velocity: Array, acceleration: Array, turning: Array, tilt: Array, finger: Array, lag: Array, age_s: Array
) -> Array:
    """Return (..., MOVING) about the commanded motion at row 0 of the chunk.

    Args:
        velocity, acceleration: (..., 3) of the tool, m/s and m/s^2. turning: (..., 2) yaw rate and its rate, rad/s and
            rad/s^2. tilt: (..., 2) x and y of the rotation vector, in base axes, from the hand to one that points down.
        finger: (..., 3) commanded opening, its speed, measured opening, m. lag: (..., 3) of the tool behind its
            command, m: not measured, -0.03 s times the velocity, in training with noise.
        age_s: (...) of the plan.
    """
    values = np.concatenate(
        [
            velocity / SPEED_M_S,
            acceleration / ACCELERATION_M_S2,
            turning / (1.0, 2.0),
            tilt / 0.2,
            finger / (FINGER_M, FINGER_M_S, FINGER_M),
            np.tanh(lag / 0.02),
            (age_s / LONGEST_AGE_S)[..., None],
            np.tanh(np.linalg.norm(velocity, axis=-1) / 0.03)[..., None],
        ],
        -1,
    )
    assert values.shape[-1] == MOVING
    return values


def push_angle(side: str, start: Array, target: Array) -> float:
    """Return the direction (rad, from the base's x axis) in which a thing at `start` is pushed: to a side or a target."""
    if side != "none":
        return np.pi / 2 if side == "left" else -np.pi / 2
    return float(np.arctan2(target[1] - start[1], target[0] - start[0]))


BEYOND = 4.0  # what a radian outside the wrist's room counts, against one on the way


def nearest_turn(angle: Array, fold: int, yaw: Array, room: tuple[float, float] = (-np.inf, np.inf)) -> Array:
    """Return angle + k * 2 pi / fold for the k that is near `yaw` and, less so, near 0; rather not outside `room`, rad, to
    which the wrist can follow."""
    part = 2 * np.pi / fold
    candidates = np.asarray(angle)[..., None] + part * np.arange(-fold, fold + 1)
    beyond = np.maximum(np.maximum(room[0] - candidates, candidates - room[1]), 0.0)
    cost = np.abs(candidates - np.asarray(yaw)[..., None]) + 0.5 * np.abs(candidates) + BEYOND * beyond
    chosen: Array = np.take_along_axis(candidates, cost.argmin(-1)[..., None], -1)[..., 0]
    return chosen
