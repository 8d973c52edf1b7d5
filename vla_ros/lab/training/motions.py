"""Motions for System 1 to imitate: jerk-limited trajectories of the hand through waypoints, cut into chunks.

They are computed for the hand alone, without an arm, because System 1 sees the hand relative to itself; thousands are made
a minute. A state of the hand is (7,): position (m), the rotation vector to a hand that points down, with the yaw as its
third element (rad), and the opening of one finger (m).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ruckig import Trajectory

from vla_ros.arrays import Array
from vla_ros.lab.training import teacher
from vla_ros.policies.compact.features import nearest_symmetric_yaw
from vla_ros.policies.compact.model_config import ACTION_DIM, FOLDS, MAX_PREFIX_ROWS, Sizes
from vla_ros.policies.continuation import to_rest
from vla_ros.transforms import axes_along

STEP_S = 0.02
ACCELERATION = np.array([0.6] * 3 + [2.0] * 3)  # m/s^2, rad/s^2: 0.7 asks joint2 for more than its limit at lifts
JERK = np.array([6.0] * 3 + [20.0] * 3)  # m/s^3, rad/s^3
TURN_SPEED = 1.0  # rad/s
FINGER = (np.array([0.08]), np.array([0.6]), np.array([12.0]))  # speed, acceleration, jerk
BLEND = 0.03  # m: distance at which a waypoint is passed where neither speed nor gripper change
SETTLE_STEPS = 6  # steps that the arm waits for the real fingers to close or open
FINGER_MOVED = 1e-3  # m
MAX_PLAN_AGE_S = 0.4
LAG_S = 0.03  # of an arm behind its command
HELD_OPENING_M = 0.0215  # where closing fingers stop on an object
SINGLE_GOAL_SHARE = 0.6  # share of the examples in which System 1 is shown their first goal alone
LENGTH, WINDOWS = 300, 12  # steps of a motion, and examples cut from it


@dataclass(frozen=True)
class HandGoal:
    """A waypoint of the hand.

    Attributes:
        state: (7,) of the hand.
        speed: m/s on the way there.
    """

    state: Array
    speed: float


class _HandSegment:
    """Trajectory to one goal, in axes along the line to it."""

    def __init__(self, history: Array, goal: HandGoal) -> None:
        self.goal = goal
        self._axes = axes_along(goal.state[:3] - history[1, :3])
        offset = np.concatenate(
            [(history[:, :3] - goal.state[:3]) @ self._axes.T, history[:, 3:6] - goal.state[3:6]], axis=1
        )
        speed = np.array([goal.speed] * 3 + [TURN_SPEED] * 3)
        self.hand: Trajectory = to_rest(offset, STEP_S, np.zeros(6), speed, ACCELERATION, JERK)
        self.fingers: Trajectory = to_rest(history[:, 6:], STEP_S, goal.state[6:], *FINGER)
        self.moves_finger = abs(history[1, 6] - goal.state[6]) > FINGER_MOVED
        self.duration_s = max(self.hand.duration, self.fingers.duration)

    def at(self, t_s: float) -> Array:
        position = np.array(self.hand.at_time(t_s)[0])
        state = self.goal.state.copy()
        state[:3] += self._axes.T @ position[:3]
        state[3:6] += position[3:]
        state[6] = self.fingers.at_time(t_s)[0][0]
        return state


def play(history: Array, course: list[HandGoal], steps: int) -> tuple[Array, NDArray[np.int64]]:
    """Follow goals.

    Args:
        history: (3, 7) states one step before, at and after the start.
        course: goals in order; the hand rests at the last.
        steps: how many.

    Returns:
        states: (steps + 1, 7), the first is history[1]. goal_index: (steps + 1,) goal that each leads to.
    """
    states, goal_index = np.empty((steps + 1, ACTION_DIM)), np.empty(steps + 1, np.int64)
    states[0], goal_index[0] = history[1], 0
    step = 0
    for number, (goal, after) in enumerate(itertools.pairwise([*course, None])):
        if goal is None or step == steps:
            break
        segment, start_step = _HandSegment(history, goal), step
        passes = after is not None and after.speed == goal.speed and after.state[6] == goal.state[6]
        wait = segment.duration_s + SETTLE_STEPS * STEP_S * segment.moves_finger
        while step < steps:
            step += 1
            t_s = (step - start_step) * STEP_S
            states[step], goal_index[step] = segment.at(t_s), number
            is_near = np.linalg.norm(states[step, :3] - goal.state[:3]) < BLEND and t_s >= segment.fingers.duration
            if after is not None and (t_s >= wait or (passes and is_near)):
                break
        t_s = (step - start_step) * STEP_S
        history = np.stack([segment.at(max(t_s + shift, 0.0)) for shift in (-STEP_S, 0.0, STEP_S)])
    states[step + 1 :], goal_index[step + 1 :] = states[step], goal_index[step]
    return states, goal_index


def layout(sizes: Sizes) -> np.dtype:
    """Return the fields of one example. All positions and the yaw are relative to row 0 of the chunk, base axes.

    waypoints: x, y, z, yaw, gripper, speed of each. motion: velocity, acceleration, yaw_rates, tilt, finger (commanded,
    velocity, measured), lag and age, as `features.motion_features` takes them. The lag is not measured: it is -LAG_S times
    the velocity, as in System 1, and here noise. prefix_rows: committed rows. rows: the chunk.
    """
    return np.dtype(
        [
            ("waypoints", "f4", (sizes.waypoints, 6)),
            ("motion", "f4", (17,)),
            ("prefix_rows", "i1"),
            ("rows", "f4", (sizes.rows, ACTION_DIM)),
        ]
    )


def examples(rng: np.random.Generator, sizes: Sizes, count: int) -> NDArray[np.void]:
    """Return `count` examples."""
    made = np.zeros(count, layout(sizes))
    stride = round(sizes.dt_s / STEP_S)
    span = (sizes.rows - 1) * stride
    index = 0
    while index < count:
        course = _random_goals(rng)
        start = _start(rng, course[0])
        states, goal_index = play(np.repeat(start[None], 3, 0), course[1:], LENGTH)
        resting = int(np.flatnonzero(np.abs(states - states[-1]).max(1) > 1e-6)[-1]) + 10
        for _ in range(WINDOWS):
            if index == count:
                break
            at = 0 if rng.random() < 0.1 else int(rng.integers(0, min(resting, len(states) - span - 2)))
            made[index] = _example(rng, sizes, states, goal_index, course[1:], at, stride)
            index += 1
    return made


def _example(
    rng: np.random.Generator,
    sizes: Sizes,
    states: Array,
    goal_index: NDArray[np.int64],
    course: list[HandGoal],
    at: int,
    stride: int,
) -> NDArray[np.void]:
    """Return the example that begins with step `at` of a motion."""
    prefix_rows = 1 if at == 0 else int(rng.integers(1, MAX_PREFIX_ROWS + 1))
    last_prefix_step = at + (prefix_rows - 1) * stride
    age_s = float(rng.uniform(0, MAX_PLAN_AGE_S))
    goal_at_image = int(goal_index[max(0, last_prefix_step - round(age_s / STEP_S))])
    first = int(goal_index[last_prefix_step])
    shown_goals = [course[min(goal_at_image + offset, len(course) - 1)] for offset in range(sizes.waypoints)]
    remaining_goals = [
        goal for offset, goal in enumerate(shown_goals) if goal_at_image + offset >= first
    ] or shown_goals[-1:]
    if rng.random() < SINGLE_GOAL_SHARE:  # System 2 sends the second waypoint only where the hand need not stop
        shown_goals, remaining_goals = [shown_goals[0]] * sizes.waypoints, shown_goals[:1]
    case = rng.random()
    if case < 0.5:  # newer images have corrected the goals a little
        shift = np.zeros(ACTION_DIM)
        shift[:3], shift[5] = rng.normal(0, 0.006, 3), rng.normal(0, 0.03)
        shown_goals = [HandGoal(goal.state + shift, goal.speed) for goal in shown_goals]
        remaining_goals = [HandGoal(goal.state + shift, goal.speed) for goal in remaining_goals]
    elif case < 0.62:  # or the goal is another one
        shown_goals = remaining_goals = _random_goals(rng)[: sizes.waypoints]
        offset = states[last_prefix_step, :3] - shown_goals[0].state[:3]
        shown_goals = remaining_goals = [_moved(goal, offset + rng.normal(0, 0.1, 3)) for goal in shown_goals]
    history = states[[max(last_prefix_step - 1, 0), last_prefix_step, min(last_prefix_step + 1, len(states) - 1)]]
    if last_prefix_step == 0:
        history = np.repeat(states[:1], 3, 0)
    span = (sizes.rows - prefix_rows) * stride
    after, _ = play(history, remaining_goals, span)
    rows = np.concatenate([states[at:last_prefix_step:stride], after[::stride]])
    anchor = rows[0].copy()
    example = np.zeros((), layout(sizes))
    relative = rows - anchor
    relative[:, 6] = rows[:, 6]
    example["rows"], example["prefix_rows"] = relative, prefix_rows
    for row, goal in zip(example["waypoints"], shown_goals, strict=True):
        row[:] = *(goal.state[:3] - anchor[:3]), goal.state[5] - anchor[5], goal.state[6], goal.speed
    velocity = (history[2] - history[0]) / (2 * STEP_S)
    acceleration = (history[2] - 2 * history[1] + history[0]) / STEP_S**2
    commanded = float(history[1, 6])
    measured = commanded + rng.normal(0, 0.0005)
    if commanded < HELD_OPENING_M and rng.random() < 0.6:
        measured = HELD_OPENING_M
    lag = -LAG_S * velocity[:3] + rng.normal(0, 0.001, 3)
    example["motion"] = [
        *velocity[:3],
        *acceleration[:3],
        velocity[5],
        acceleration[5],
        *(-history[1, 3:5]),
        commanded,
        velocity[6],
        measured,
        *lag,
        age_s,
    ]
    return example


def _moved(goal: HandGoal, offset: Array) -> HandGoal:
    """Return a goal moved by `offset` (3,)."""
    state = goal.state.copy()
    state[:3] += offset
    return HandGoal(state, goal.speed)


def _random_goals(rng: np.random.Generator) -> list[HandGoal]:
    """Return goals like those of a step of a task, or three random ones."""
    case = rng.random()
    a, b = rng.uniform(-0.25, 0.25, 3), rng.uniform(-0.25, 0.25, 3)
    a[2], b[2] = 0.0, rng.uniform(-0.01, 0.06)
    yaw, turned, pushed = rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.8), rng.uniform(-math.pi, math.pi)
    up, ready = 0.18 + rng.normal(0, 0.01), 0.09 + rng.normal(0, 0.01)
    quick, slow, push = teacher.QUICK, teacher.SLOW, teacher.PUSHING
    opened, closed, release_opening = teacher.OPEN, teacher.CLOSED, 0.034

    def goal(p: Array, height: float, angle: float, gripper: float, speed: float) -> HandGoal:
        return HandGoal(np.array([p[0], p[1], p[2] + height, 0.0, 0.0, angle, gripper]), speed)

    if case < 0.6:
        return [
            goal(a, ready, yaw, opened, quick),
            goal(a, 0.0, yaw, opened, slow),
            goal(a, 0.0, yaw, closed, slow),
            goal(a, up, yaw, closed, quick),
            goal(b, up, turned, closed, quick),
            goal(b, 0.0, turned, closed, slow),
            goal(b, 0.0, turned, release_opening, slow),
            goal(b, up, turned, release_opening, quick),
        ][int(rng.integers(0, 6)) :]
    if case < 0.8:
        way = np.array([math.cos(pushed), math.sin(pushed), 0.0])
        behind, end = a - 0.06 * way, a + rng.uniform(0.03, 0.15) * way
        angle = math.remainder(pushed, math.pi)
        width = teacher.PUSH_OPENING
        return [
            goal(behind, ready, angle, width, quick),
            goal(behind, 0.0, angle, width, slow),
            goal(end, 0.0, angle, width, push),
            goal(end - 0.03 * way, up, angle, width, quick),
        ][int(rng.integers(0, 2)) :]
    goals = []
    for _ in range(3):
        p = rng.normal(0, rng.choice([0.005, 0.03, 0.15]), 3)
        gripper, speed = float(rng.choice([opened, closed, release_opening])), float(rng.choice([quick, slow, push]))
        goals.append(goal(p, 0.0, float(rng.normal(0, 0.4)), gripper, speed))
    return goals


def _start(rng: np.random.Generator, first: HandGoal) -> Array:
    """Return a start state, near the first goal or far from it, upright or tilted."""
    state = first.state.copy()
    if rng.random() < 0.5:
        state[:3] += rng.normal(0, rng.choice([0.003, 0.02]), 3)
    else:
        state[:3] += [*rng.uniform(-0.35, 0.35, 2), rng.uniform(-0.1, 0.3)]
    state[5] += rng.normal(0, 0.5)
    if rng.random() < 0.3:
        state[3:5] = rng.normal(0, 0.08, 2)
    if rng.random() < 0.3:
        state[6] = rng.choice([0.0005, 0.0132, 0.034, 0.04])
    return state


def rotated(batch: NDArray[np.void], angle: Array) -> NDArray[np.void]:
    """Return the examples rotated about the vertical axis by `angle` (n,), rad."""
    result = batch.copy()
    c, s = np.cos(angle), np.sin(angle)
    rotation = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)

    def turn(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        flat = vectors.reshape(len(vectors), -1, 2)
        vectors_turned: NDArray[np.floating] = np.einsum("nij,nkj->nki", rotation, flat).reshape(vectors.shape)
        return vectors_turned

    result["waypoints"][..., :2] = turn(batch["waypoints"][..., :2])
    result["rows"][..., :2] = turn(batch["rows"][..., :2])
    result["rows"][..., 3:5] = turn(batch["rows"][..., 3:5])
    for first in (0, 3, 8, 13):
        result["motion"][:, first : first + 2] = turn(batch["motion"][:, first : first + 2])
    return result


def from_scene_images(rng: np.random.Generator, batch: NDArray[np.void], sizes: Sizes) -> NDArray[np.void]:
    """Return an example for each record (see `scene_images.layout`): the hand starts at rest, towards its waypoints."""
    made = np.zeros(len(batch), layout(sizes))
    for index, record in enumerate(batch):
        if record["subtask"] < 0:
            continue
        start = np.array([*record["p_tool"], 0.0, 0.0, record["yaw"], record["q"][7]], np.float64)
        goals = [_goal(record, row, start) for row in range(sizes.waypoints)]
        states = np.repeat(start[None], 3, 0)
        motion, goal_index = play(states, goals, round((sizes.rows - 1) * sizes.dt_s / STEP_S))
        made[index] = _example(rng, sizes, motion, goal_index, goals, 0, round(sizes.dt_s / STEP_S))
    return made


def _goal(record: np.void, row: int, start: Array) -> HandGoal:
    """Return a waypoint of a record as a goal."""
    x, y, height, cosine, sine, gripper, speed = record["waypoints"][row].astype(np.float64)
    subtask = min(int(record["subtask"]) + row, len(FOLDS) - 1)
    fold = FOLDS[subtask]
    angle = float(nearest_symmetric_yaw(np.array(math.atan2(sine, cosine) / fold), fold, np.array(start[5])))
    places = (record["objects"][0], record["objects"][1], record["start"], record["p_tool"])
    p = places[int(record["anchors"][row])][:2] + np.array([x, y]) / 10
    return HandGoal(np.array([*p, height / 10, 0.0, 0.0, angle, gripper * 0.04]), float(speed) * teacher.QUICK)
