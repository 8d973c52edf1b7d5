"""Motions for System 1 to imitate: jerk-limited ways of the hand from waypoint to waypoint, begun, bent and joined.

They are computed in the space of the hand, so that thousands a minute cost nothing; no arm is needed, as System 1 sees
the hand relative to itself. A state of the hand is (7,): position (m), rotation vector to a hand that points down but
for its third number, which is the yaw (rad), and the opening of a finger (m).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ruckig import Trajectory

from vla_ros.lab.training import teacher
from vla_ros.policies.compact.features import nearest_turn
from vla_ros.policies.compact.model_config import ACTION, FOLDS, MOST_COMMITTED, Sizes
from vla_ros.policies.continuation import to_rest
from vla_ros.transforms import axes_along

Array = NDArray[np.float64]

STEP_S = 0.02
ACCELERATION = np.array([0.6] * 3 + [2.0] * 3)  # m/s^2, rad/s^2: 0.7 asks joint2 for more than its limit at lifts
JERK = np.array([6.0] * 3 + [20.0] * 3)  # m/s^3, rad/s^3
TURN_SPEED = 1.0  # rad/s
FINGER = (np.array([0.08]), np.array([0.6]), np.array([12.0]))  # speed, acceleration, jerk
BLEND = 0.03  # m: a waypoint is passed when neither speed nor gripper change there
SETTLE = 6  # steps that the arm waits for the fingers to close or open in truth
FINGER_MOVED = 1e-3  # m
LONGEST_AGE_S = 0.4
LAG_S = 0.03  # that an arm is behind its command
HELD_M = 0.0215  # where closed fingers stop on a thing
WAITS = 0.6  # share of the examples that end at their first goal
LENGTH, WINDOWS = 300, 12  # steps of a motion, and examples that are cut from it


@dataclass(frozen=True)
class Goal:
    """state: (7,) of the hand. speed: m/s on the way there."""

    state: Array
    speed: float


class _Leg:
    """Motion to one goal, in the axes of the line to it."""

    def __init__(self, history: Array, goal: Goal) -> None:
        self.goal = goal
        self._axes = axes_along(goal.state[:3] - history[1, :3])
        left = np.concatenate(
            [(history[:, :3] - goal.state[:3]) @ self._axes.T, history[:, 3:6] - goal.state[3:6]], axis=1
        )
        speed = np.array([goal.speed] * 3 + [TURN_SPEED] * 3)
        self.way: Trajectory = to_rest(left, STEP_S, np.zeros(6), speed, ACCELERATION, JERK)
        self.fingers: Trajectory = to_rest(history[:, 6:], STEP_S, goal.state[6:], *FINGER)
        self.moves_finger = abs(history[1, 6] - goal.state[6]) > FINGER_MOVED
        self.duration_s = max(self.way.duration, self.fingers.duration)

    def at(self, t_s: float) -> Array:
        position = np.array(self.way.at_time(t_s)[0])
        state = self.goal.state.copy()
        state[:3] += self._axes.T @ position[:3]
        state[3:6] += position[3:]
        state[6] = self.fingers.at_time(t_s)[0][0]
        return state


def play(history: Array, course: list[Goal], steps: int) -> tuple[Array, NDArray[np.int64]]:
    """Return states (steps + 1, 7), the first of which is history[1], and which goal each was on its way to.

    Args:
        history: (3, 7) states one step before, at and after the start.
        course: goals in turn; the hand rests at the last.
    """
    states, towards = np.empty((steps + 1, ACTION)), np.empty(steps + 1, np.int64)
    states[0], towards[0] = history[1], 0
    step = 0
    for number, (goal, after) in enumerate(itertools.pairwise([*course, None])):
        if goal is None or step == steps:
            break
        leg, begun = _Leg(history, goal), step
        passing = after is not None and after.speed == goal.speed and after.state[6] == goal.state[6]
        wait = leg.duration_s + SETTLE * STEP_S * leg.moves_finger
        while step < steps:
            step += 1
            t_s = (step - begun) * STEP_S
            states[step], towards[step] = leg.at(t_s), number
            near = np.linalg.norm(states[step, :3] - goal.state[:3]) < BLEND and t_s >= leg.fingers.duration
            if after is not None and (t_s >= wait or (passing and near)):
                break
        t_s = (step - begun) * STEP_S
        history = np.stack([leg.at(max(t_s + shift, 0.0)) for shift in (-STEP_S, 0.0, STEP_S)])
    states[step + 1 :], towards[step + 1 :] = states[step], towards[step]
    return states, towards


def layout(sizes: Sizes) -> np.dtype:
    """Return the fields of one example. All positions and the yaw are relative to row 0 of the chunk, base axes.

    ahead: per waypoint x, y, z, yaw, gripper, speed. moving: velocity, acceleration, turning, tilt, finger (commanded,
    speed, measured), lag, age as `features.moving_features` takes them. Nobody measures the lag: it is LAG_S of the velocity,
    as System 1 says too, and here noise. rows: the chunk.
    """
    return np.dtype(
        [
            ("ahead", "f4", (sizes.waypoints, 6)),
            ("moving", "f4", (17,)),
            ("committed", "i1"),
            ("rows", "f4", (sizes.rows, ACTION)),
        ]
    )


def examples(rng: np.random.Generator, sizes: Sizes, count: int) -> NDArray[np.void]:
    """Return `count` examples."""
    made = np.zeros(count, layout(sizes))
    stride = round(sizes.dt_s / STEP_S)
    span = (sizes.rows - 1) * stride
    index = 0
    while index < count:
        course = _course(rng)
        start = _start(rng, course[0])
        states, towards = play(np.repeat(start[None], 3, 0), course[1:], LENGTH)
        resting = int(np.flatnonzero(np.abs(states - states[-1]).max(1) > 1e-6)[-1]) + 10
        for _ in range(WINDOWS):
            if index == count:
                break
            at = 0 if rng.random() < 0.1 else int(rng.integers(0, min(resting, len(states) - span - 2)))
            made[index] = _example(rng, sizes, states, towards, course[1:], at, stride)
            index += 1
    return made


def _example(
    rng: np.random.Generator,
    sizes: Sizes,
    states: Array,
    towards: NDArray[np.int64],
    course: list[Goal],
    at: int,
    stride: int,
) -> NDArray[np.void]:
    """One window of a motion that begins with step `at`."""
    committed = 1 if at == 0 else int(rng.integers(1, MOST_COMMITTED + 1))
    hand_over = at + (committed - 1) * stride
    age_s = float(rng.uniform(0, LONGEST_AGE_S))
    seen = int(towards[max(0, hand_over - round(age_s / STEP_S))])
    first = int(towards[hand_over])
    told = [course[min(seen + offset, len(course) - 1)] for offset in range(sizes.waypoints)]
    left = [goal for offset, goal in enumerate(told) if seen + offset >= first] or told[-1:]
    if rng.random() < WAITS:  # System 2 tells what comes next only where the hand need not stop
        told, left = [told[0]] * sizes.waypoints, told[:1]
    dice = rng.random()
    if dice < 0.5:  # a newer look has corrected the goals a little
        shift = np.zeros(ACTION)
        shift[:3], shift[5] = rng.normal(0, 0.006, 3), rng.normal(0, 0.03)
        told = [Goal(goal.state + shift, goal.speed) for goal in told]
        left = [Goal(goal.state + shift, goal.speed) for goal in left]
    elif dice < 0.62:  # or it is another goal altogether
        told = left = _course(rng)[: sizes.waypoints]
        offset = states[hand_over, :3] - told[0].state[:3]
        told = left = [_moved(goal, offset + rng.normal(0, 0.1, 3)) for goal in told]
    history = states[[max(hand_over - 1, 0), hand_over, min(hand_over + 1, len(states) - 1)]]
    if hand_over == 0:
        history = np.repeat(states[:1], 3, 0)
    span = (sizes.rows - committed) * stride
    after, _ = play(history, left, span)
    rows = np.concatenate([states[at:hand_over:stride], after[::stride]])
    anchor = rows[0].copy()
    example = np.zeros((), layout(sizes))
    relative = rows - anchor
    relative[:, 6] = rows[:, 6]
    example["rows"], example["committed"] = relative, committed
    for row, goal in zip(example["ahead"], told, strict=True):
        row[:] = *(goal.state[:3] - anchor[:3]), goal.state[5] - anchor[5], goal.state[6], goal.speed
    velocity = (history[2] - history[0]) / (2 * STEP_S)
    acceleration = (history[2] - 2 * history[1] + history[0]) / STEP_S**2
    commanded = float(history[1, 6])
    measured = commanded + rng.normal(0, 0.0005)
    if commanded < HELD_M and rng.random() < 0.6:
        measured = HELD_M
    lag = -LAG_S * velocity[:3] + rng.normal(0, 0.001, 3)
    example["moving"] = [
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


def _moved(goal: Goal, offset: Array) -> Goal:
    state = goal.state.copy()
    state[:3] += offset
    return Goal(state, goal.speed)


def _course(rng: np.random.Generator) -> list[Goal]:
    """Return goals as a step of a task has them, or a few at random."""
    dice = rng.random()
    a, b = rng.uniform(-0.25, 0.25, 3), rng.uniform(-0.25, 0.25, 3)
    a[2], b[2] = 0.0, rng.uniform(-0.01, 0.06)
    yaw, turned, pushed = rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.8), rng.uniform(-math.pi, math.pi)
    up, ready = 0.18 + rng.normal(0, 0.01), 0.09 + rng.normal(0, 0.01)
    quick, slow, push = teacher.QUICK, teacher.SLOW, teacher.PUSHING
    opened, closed, letting = teacher.OPEN, teacher.CLOSED, 0.034

    def goal(p: Array, height: float, angle: float, gripper: float, speed: float) -> Goal:
        return Goal(np.array([p[0], p[1], p[2] + height, 0.0, 0.0, angle, gripper]), speed)

    if dice < 0.6:
        return [
            goal(a, ready, yaw, opened, quick),
            goal(a, 0.0, yaw, opened, slow),
            goal(a, 0.0, yaw, closed, slow),
            goal(a, up, yaw, closed, quick),
            goal(b, up, turned, closed, quick),
            goal(b, 0.0, turned, closed, slow),
            goal(b, 0.0, turned, letting, slow),
            goal(b, up, turned, letting, quick),
        ][int(rng.integers(0, 6)) :]
    if dice < 0.8:
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
        gripper, speed = float(rng.choice([opened, closed, letting])), float(rng.choice([quick, slow, push]))
        goals.append(goal(p, 0.0, float(rng.normal(0, 0.4)), gripper, speed))
    return goals


def _start(rng: np.random.Generator, first: Goal) -> Array:
    """Return a state from which a course may begin: near its first goal or far from it, upright or tilted."""
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


def turned(batch: NDArray[np.void], angle: Array) -> NDArray[np.void]:
    """Return the examples as they would be with the table turned by `angle` (n,): nothing else changes."""
    result = batch.copy()
    c, s = np.cos(angle), np.sin(angle)
    rotation = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)

    def turn(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        flat = vectors.reshape(len(vectors), -1, 2)
        vectors_turned: NDArray[np.floating] = np.einsum("nij,nkj->nki", rotation, flat).reshape(vectors.shape)
        return vectors_turned

    result["ahead"][..., :2] = turn(batch["ahead"][..., :2])
    result["rows"][..., :2] = turn(batch["rows"][..., :2])
    result["rows"][..., 3:5] = turn(batch["rows"][..., 3:5])
    for first in (0, 3, 8, 13):
        result["moving"][:, first : first + 2] = turn(batch["moving"][:, first : first + 2])
    return result


def from_stills(rng: np.random.Generator, batch: NDArray[np.void], sizes: Sizes) -> NDArray[np.void]:
    """Return the example of each still (see `stills.layout`): the hand at rest, on its way to the still's waypoints."""
    made = np.zeros(len(batch), layout(sizes))
    for index, still in enumerate(batch):
        if still["subtask"] < 0:
            continue
        start = np.array([*still["p_tool"], 0.0, 0.0, still["yaw"], still["q"][7]], np.float64)
        goals = [_goal(still, row, start) for row in range(sizes.waypoints)]
        states = np.repeat(start[None], 3, 0)
        motion, towards = play(states, goals, round((sizes.rows - 1) * sizes.dt_s / STEP_S))
        made[index] = _example(rng, sizes, motion, towards, goals, 0, round(sizes.dt_s / STEP_S))
    return made


def _goal(still: np.void, row: int, start: Array) -> Goal:
    """Return a waypoint of a still as a goal."""
    x, y, height, cosine, sine, gripper, speed = still["waypoints"][row].astype(np.float64)
    subtask = min(int(still["subtask"]) + row, len(FOLDS) - 1)
    fold = FOLDS[subtask]
    angle = float(nearest_turn(np.array(math.atan2(sine, cosine) / fold), fold, np.array(start[5])))
    places = (still["objects"][0], still["objects"][1], still["start"], still["p_tool"])
    p = places[int(still["anchors"][row])][:2] + np.array([x, y]) / 10
    return Goal(np.array([*p, height / 10, 0.0, 0.0, angle, gripper * 0.04]), float(speed) * teacher.QUICK)
