"""Situations drawn at random: where things lie, where the arm is, what is asked for. Nothing moves, nothing is drawn yet.

They cover every subtask, the moments between two of them, and what should not happen: things that slipped from the
hand, that moved, that are not there; hands that close on nothing or come from an odd pose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vla_ros.lab.training import sentences, teacher
from vla_ros.lab.training.sentences import Wish, taught
from vla_ros.policies.compact.model_config import SHAPES
from vla_ros.sim.scene import SceneObject
from vla_ros.tasks.vocabulary import COLOURS, CONTAINERS
from vla_ros.tasks.vocabulary import MOVABLE_SHAPES as MOVABLE

Array = NDArray[np.float64]

X_RANGE, Y_RANGE = (0.36, 0.68), (-0.31, 0.31)  # of things, m
ROOM = 0.03  # m between two of them
REACH_X, REACH_Y, REACH_Z = (0.25, 0.66), (-0.33, 0.33), (0.08, 0.45)  # of the tool
HOMES = (np.array([0.30, 0.0, 0.42]), np.array([0.28, 0.0, 0.40]))  # where the arm often begins, about
ABSENT = 0.07  # share of stills that ask for what is not there
TWO_STEPS = 0.35  # share of stills whose sentence has two steps
# How a still is made, and how often: far from x, over x, fingers about x, x in the hand, x let go.
MODES = {"far": 0.2, "over": 0.2, "about": 0.14, "held": 0.28, "let go": 0.18}


@dataclass(frozen=True)
class Asked:
    """One still to be drawn.

    things: where everything is drawn; p, quat (xyzw not used: only yaw) of the thing in the hand follow the tool.
    wishes: all steps, and step: the present one. text: in words. now: its situation, or None when x is not there.
    p_things: (n, 3) centres. yaws: (n,).
    """

    things: tuple[SceneObject, ...]
    p_things: Array
    yaws: Array
    wishes: tuple[Wish, ...]
    step: int
    text: str
    now: teacher.Situation | None
    p_tool: Array
    yaw: float
    finger: float
    finger_speed: float


def draw(rng: np.random.Generator, things: Sequence[SceneObject]) -> Asked:
    """Return a situation with these things, newly placed and coloured.

    Args:
        things: of a scene; shapes stay, everything else changes.
    """
    placed = _recoloured(rng, _placed(rng, things))
    wishes = _wishes(rng, placed)
    step = int(rng.integers(len(wishes)))
    p_things = np.array([(thing.x, thing.y, thing.height / 2) for thing in placed])
    yaws = np.array([thing.yaw for thing in placed])
    if step == 1 and rng.random() < 0.7:
        _fulfil(rng, wishes[0], placed, p_things)
    wish = wishes[step]
    shapes = [thing.shape for thing in placed if thing.shape in SHAPES]
    if rng.random() < ABSENT:
        present = {thing.colour for thing in placed}
        colours = [colour for colour in COLOURS if colour not in present]
        asked = [other for colour in colours if taught(other := replace(wish, x=(colour, wish.x[1])))]
        if asked:
            strange = asked[rng.integers(len(asked))]
            wishes = tuple(strange if index == step else other for index, other in enumerate(wishes))
            p_tool, yaw, finger = _somewhere(rng)
            text = sentences.say(rng, wishes, [*shapes, wish.x[1], wish.x[1]])
            return Asked(tuple(placed), p_things, yaws, wishes, step, text, None, p_tool, yaw, finger, 0.0)
    text = sentences.say(rng, wishes, shapes)
    at_x = _index(placed, wish.x)
    at_y = _index(placed, wish.y) if wish.y[1] != "none" else None
    now = _situation(rng, wish, placed, p_things, yaws, at_x, at_y)
    p_things[at_x], yaws[at_x] = now.x.p, now.x.yaw
    return Asked(
        tuple(placed), p_things, yaws, wishes, step, text, now, now.p_tool, now.yaw, now.finger, now.finger_speed
    )


def _placed(rng: np.random.Generator, things: Sequence[SceneObject]) -> list[SceneObject]:
    while True:
        placed: list[SceneObject] = []
        for thing in things:
            for _ in range(60):
                x, y = float(rng.uniform(*X_RANGE)), float(rng.uniform(*Y_RANGE))
                if all(math.hypot(x - o.x, y - o.y) > thing.radius + o.radius + ROOM for o in placed):
                    turned = thing.shape not in (*CONTAINERS, "ball", "cylinder")
                    placed.append(replace(thing, x=x, y=y, yaw=float(rng.uniform(0, math.pi / 2)) * turned))
                    break
        if len(placed) == len(things):
            return placed


def _recoloured(rng: np.random.Generator, things: list[SceneObject]) -> list[SceneObject]:
    while True:
        colours = iter(rng.permutation(list(COLOURS)))
        result = [
            replace(thing, colour=str(next(colours)), drawn_rgb=()) if thing.shape in MOVABLE else thing
            for thing in things
        ]
        if all(sentences.permitted((thing.colour, thing.shape)) for thing in result):
            return result


def _name(thing: SceneObject) -> tuple[str, str]:
    return thing.colour or "none", thing.shape


def _index(things: Sequence[SceneObject], name: tuple[str, str]) -> int:
    return [_name(thing) for thing in things].index(name)


def _wishes(rng: np.random.Generator, things: Sequence[SceneObject]) -> tuple[Wish, ...]:
    names = {_name(thing) for thing in things}
    count = 2 if rng.random() < TWO_STEPS else 1
    found: list[Wish] = []
    while len(found) < count:
        wish = sentences.random_wish(rng)
        taken = [other.x for other in found]
        if wish.x in names and (wish.y[1] == "none" or wish.y in names) and wish.x not in taken and wish.y not in taken:
            found.append(wish)
    return tuple(found)


def _fulfil(rng: np.random.Generator, wish: Wish, things: Sequence[SceneObject], p_things: Array) -> None:
    """What the first step asked for has been done."""
    at = _index(things, wish.x)
    if wish.verb in ("place", "stack"):
        p_things[at] = _resting(
            rng, _object(things, p_things, np.zeros(len(things)), at), _at(things, p_things, wish.y)
        )


def _at(things: Sequence[SceneObject], p_things: Array, name: tuple[str, str]) -> teacher.Object:
    return _object(things, p_things, np.zeros(len(things)), _index(things, name))


def _object(things: Sequence[SceneObject], p_things: Array, yaws: Array, index: int) -> teacher.Object:
    thing = things[index]
    return teacher.Object(p_things[index].copy(), float(yaws[index]), thing.shape, thing.height, thing.radius)


def _resting(rng: np.random.Generator, x: teacher.Object, y: teacher.Object) -> Array:
    """Return a place of `x` in, on or upon `y`."""
    spread = {"bowl": 0.010, "plate": 0.014}.get(y.shape, 0.005)
    floor = {"bowl": teacher.BOWL_FLOOR}.get(y.shape, y.height)
    return np.array([*(y.p[:2] + rng.normal(0, spread, 2)), floor + x.height / 2])


def _somewhere(rng: np.random.Generator) -> tuple[Array, float, float]:
    """Return tool, yaw and finger of an arm that is anywhere."""
    dice = rng.random()
    if dice < 0.35:
        p_tool, yaw = HOMES[rng.integers(len(HOMES))] + rng.normal(0, 0.02, 3), rng.normal(0, 0.1)
    else:
        p_tool, yaw = np.array([rng.uniform(*r) for r in (REACH_X, REACH_Y, REACH_Z)]), rng.uniform(-1.2, 1.2)
    finger = 0.04 if rng.random() < 0.7 else rng.choice([0.0, 0.0132, 0.034, rng.uniform(0, 0.04)])
    return p_tool, float(yaw), float(finger)


def _situation(
    rng: np.random.Generator,
    wish: Wish,
    things: Sequence[SceneObject],
    p_things: Array,
    yaws: Array,
    at_x: int,
    at_y: int | None,
) -> teacher.Situation:
    x = _object(things, p_things, yaws, at_x)
    y = None if at_y is None else _object(things, p_things, yaws, at_y)
    start = x.p.copy()
    p_tool, yaw, finger = _somewhere(rng)
    speed = float(rng.choice([0.0, 0.0, rng.normal(0, 0.03)]))
    now = teacher.Situation(wish.verb, wish.side, x, y, start, p_tool, yaw, finger, speed)
    if wish.verb == "push":
        return _pushing(rng, now)
    mode = str(rng.choice(list(MODES), p=list(MODES.values())))
    if mode == "let go" and y is None:
        mode = "held"
    if mode == "far":
        return now
    if rng.random() < 0.12:  # it moved since the step began
        start = start + np.array([*rng.uniform(-0.1, 0.1, 2), 0.0])
    grip = x.yaw + rng.integers(-1, 2) * math.pi / 2 if x.shape == "cube" else rng.uniform(-1.0, 1.0)
    grip = math.remainder(grip, math.pi)
    low = x.p[2] + teacher.grasp_height(x) - x.height / 2
    if mode == "over":
        spread = rng.choice([0.003, 0.008, 0.025])
        p_tool = np.array([*(x.p[:2] + rng.normal(0, spread, 2)), rng.uniform(low, teacher.READY + 0.03)])
        finger = 0.04 - abs(rng.normal(0, 0.002)) if rng.random() < 0.85 else rng.uniform(0.0, 0.04)
        grip += rng.normal(0, rng.choice([0.03, 0.3]))
    elif mode == "about":
        p_tool = np.array([*(x.p[:2] + rng.normal(0, 0.004, 2)), low + rng.normal(0, 0.002)])
        held = rng.random()
        width = x.radius if x.shape != "cube" else teacher.FACE
        finger, speed = (
            (width - rng.uniform(0, 0.0015), rng.normal(0, 0.0015))
            if held < 0.45
            else (rng.uniform(width, 0.04), -rng.uniform(0.01, 0.08))
            if held < 0.9
            else (rng.uniform(0, 0.003), rng.normal(0, 0.001))
        )
        grip += rng.normal(0, 0.04)
    elif mode == "held":
        p_tool, slack = _carrying(rng, x, y, low), rng.normal(0, 0.003, 3)
        finger = (x.radius if x.shape != "cube" else teacher.FACE) - rng.uniform(0, 0.0015)
        speed = rng.normal(0, 0.0015)
        x = replace(x, p=p_tool + slack, yaw=x.yaw if x.shape != "cube" else grip)
    else:
        assert y is not None
        x = replace(x, p=_resting(rng, x, y))
        over = rng.random()
        if over < 0.75:
            height = teacher.put_height(x, y)
            height = height + rng.normal(0, 0.003) if over < 0.3 else rng.uniform(height, teacher.TRAVEL + 0.02)
            p_tool = np.array([*(y.p[:2] + rng.normal(0, 0.006, 2)), height])
            opening = (0.034, 0.0) if rng.random() < 0.7 else (rng.uniform(0.0215, 0.034), rng.uniform(0.0, 0.08))
            finger, speed = (opening[0] + rng.normal(0, 0.0005), opening[1]) if over < 0.3 else (0.034, 0.0)
    return replace(
        now, x=x, start=start, p_tool=p_tool, yaw=float(grip), finger=float(finger), finger_speed=float(speed)
    )


def _carrying(rng: np.random.Generator, x: teacher.Object, y: teacher.Object | None, low: float) -> Array:
    """Return a tool position with `x` in the hand."""
    dice = rng.random()
    if y is None or dice < 0.3:  # on the way up
        top = teacher.TRAVEL + 0.02
        height = rng.uniform(low, top) if rng.random() < 0.7 else rng.uniform(top - 0.05, top)
        return np.array([*x.p[:2], height])
    if dice < 0.55:  # on the way over
        return np.array([rng.uniform(*REACH_X), rng.uniform(*REACH_Y), rng.uniform(0.14, teacher.TRAVEL + 0.03)])
    spread = rng.choice([0.003, 0.010, 0.03])
    bottom = teacher.put_height(x, y)
    height = bottom + abs(rng.normal(0, 0.003)) if dice > 0.82 else rng.uniform(bottom, teacher.TRAVEL + 0.01)
    if spread > 0.02:
        height = max(height, 0.13)
    return np.array([*(y.p[:2] + rng.normal(0, spread, 2)), height])


def _pushing(rng: np.random.Generator, now: teacher.Situation) -> teacher.Situation:
    """The hand behind x, or x under way."""
    dice = rng.random()
    if dice < 0.22:
        return now
    ahead, length = teacher.direction(now)
    aside = np.array([-ahead[1], ahead[0]])
    low = teacher.grasp_height(now.x)
    behind = teacher.FACE + teacher.BEHIND
    yaw = math.remainder(math.atan2(ahead[1], ahead[0]) + math.pi * rng.integers(0, 2), 2 * math.pi)
    yaw += rng.normal(0, 0.05)
    finger = teacher.PUSH_OPENING + rng.normal(0, 0.0005) if rng.random() < 0.9 else now.finger
    moved, along, height = 0.0, -behind, rng.uniform(low, teacher.READY + 0.02)
    spread = rng.choice([0.003, 0.008, 0.025])
    if dice < 0.45:
        along += rng.normal(0, spread)
    elif dice < 0.8:
        moved = rng.uniform(0, length)
        height = low + rng.normal(0, 0.003)
        touching = -teacher.FACE - teacher.FINGER_DEPTH
        along = touching + rng.normal(0, 0.004) if moved > 0.004 else rng.uniform(-behind, touching)
        spread = 0.004
    else:
        moved = length - rng.uniform(-0.01, 0.02)
        height = rng.uniform(low, teacher.TRAVEL + 0.02)
        along = rng.uniform(-0.11, -teacher.FACE - teacher.FINGER_DEPTH)
        spread = 0.01
    drift = rng.normal(0, 0.006) if moved else 0.0
    p = now.start + np.array([*(ahead * moved + aside * drift), 0.0])
    p_tool = np.array([*(p[:2] + ahead * along + aside * rng.normal(0, spread)), height])
    return replace(now, x=replace(now.x, p=p), p_tool=p_tool, yaw=float(yaw), finger=float(finger), finger_speed=0.0)
