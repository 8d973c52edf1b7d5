"""Random situations: where objects are, where the arm is, what the instruction asks for.

They cover every subtask, the transitions between them, and failures: objects that slipped from the hand, moved or are
absent; hands that closed on nothing or come from an unusual pose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vla_ros.arrays import Array
from vla_ros.lab.training import instructions, teacher
from vla_ros.lab.training.instructions import ParsedStep, is_allowed
from vla_ros.policies.compact.model_config import SHAPES
from vla_ros.sim.scene import SceneObject
from vla_ros.tasks.vocabulary import COLOURS, CONTAINERS
from vla_ros.tasks.vocabulary import MOVABLE_SHAPES as MOVABLE

X_RANGE, Y_RANGE = (0.36, 0.68), (-0.31, 0.31)  # of objects, m
MIN_GAP_M = 0.03  # between two objects
REACH_X, REACH_Y, REACH_Z = (0.25, 0.66), (-0.33, 0.33), (0.08, 0.45)  # of the tool
HOMES = (np.array([0.30, 0.0, 0.42]), np.array([0.28, 0.0, 0.40]))  # usual positions of the tool at the start
ABSENT_SHARE = 0.07  # share of images whose instruction asks for an absent object
TWO_STEP_SHARE = 0.35  # share of images whose instruction has two steps
# Where the hand is, and how often: far from x, over x, fingers around x, x in the hand, x released.
MODES = {"far": 0.2, "over": 0.2, "about": 0.14, "held": 0.28, "let go": 0.18}


@dataclass(frozen=True)
class ImageSpec:
    """One image to render.

    Attributes:
        objects: of the scene.
        p_objects: (n, 3) their centres.
        yaws: (n,) their yaws.
        parsed_steps: all steps of the instruction.
        step: index of the present one.
        text: the instruction.
        now: situation of the present step, or None where x is absent.
        p_tool, yaw, finger, finger_velocity: of the hand, as in `teacher.Situation`.
    """

    objects: tuple[SceneObject, ...]
    p_objects: Array
    yaws: Array
    parsed_steps: tuple[ParsedStep, ...]
    step: int
    text: str
    now: teacher.Situation | None
    p_tool: Array
    yaw: float
    finger: float
    finger_velocity: float


def sample(rng: np.random.Generator, objects: Sequence[SceneObject]) -> ImageSpec:
    """Return a random situation.

    Args:
        rng: random generator.
        objects: of a scene; their shapes stay, positions and colours are drawn anew.
    """
    placed = _recolour(rng, _place(rng, objects))
    parsed_steps = _sample_steps(rng, placed)
    step = int(rng.integers(len(parsed_steps)))
    p_objects = np.array([(thing.x, thing.y, thing.height / 2) for thing in placed])
    yaws = np.array([thing.yaw for thing in placed])
    if step == 1 and rng.random() < 0.7:
        _complete_step(rng, parsed_steps[0], placed, p_objects)
    parsed_step = parsed_steps[step]
    shapes = [thing.shape for thing in placed if thing.shape in SHAPES]
    if rng.random() < ABSENT_SHARE:
        present = {thing.colour for thing in placed}
        colours = [colour for colour in COLOURS if colour not in present]
        possible = [
            other for colour in colours if is_allowed(other := replace(parsed_step, x=(colour, parsed_step.x[1])))
        ]
        if possible:
            other_step = possible[rng.integers(len(possible))]
            parsed_steps = tuple(other_step if index == step else other for index, other in enumerate(parsed_steps))
            p_tool, yaw, finger = _random_arm(rng)
            text = instructions.compose(rng, parsed_steps, [*shapes, parsed_step.x[1], parsed_step.x[1]])
            return ImageSpec(tuple(placed), p_objects, yaws, parsed_steps, step, text, None, p_tool, yaw, finger, 0.0)
    text = instructions.compose(rng, parsed_steps, shapes)
    at_x = _index(placed, parsed_step.x)
    at_y = _index(placed, parsed_step.y) if parsed_step.y[1] != "none" else None
    now = _sample_situation(rng, parsed_step, placed, p_objects, yaws, at_x, at_y)
    p_objects[at_x], yaws[at_x] = now.x.p, now.x.yaw
    return ImageSpec(
        tuple(placed),
        p_objects,
        yaws,
        parsed_steps,
        step,
        text,
        now,
        now.p_tool,
        now.yaw,
        now.finger,
        now.finger_velocity,
    )


def _place(rng: np.random.Generator, objects: Sequence[SceneObject]) -> list[SceneObject]:
    while True:
        placed: list[SceneObject] = []
        for thing in objects:
            for _ in range(60):
                x, y = float(rng.uniform(*X_RANGE)), float(rng.uniform(*Y_RANGE))
                if all(math.hypot(x - o.x, y - o.y) > thing.radius + o.radius + MIN_GAP_M for o in placed):
                    turned = thing.shape not in (*CONTAINERS, "ball", "cylinder")
                    placed.append(replace(thing, x=x, y=y, yaw=float(rng.uniform(0, math.pi / 2)) * turned))
                    break
        if len(placed) == len(objects):
            return placed


def _recolour(rng: np.random.Generator, objects: list[SceneObject]) -> list[SceneObject]:
    while True:
        colours = iter(rng.permutation(list(COLOURS)))
        result = [
            replace(thing, colour=str(next(colours)), drawn_rgb=()) if thing.shape in MOVABLE else thing
            for thing in objects
        ]
        if all(instructions.is_allowed_object((thing.colour, thing.shape)) for thing in result):
            return result


def _name(thing: SceneObject) -> tuple[str, str]:
    return thing.colour or "none", thing.shape


def _index(objects: Sequence[SceneObject], name: tuple[str, str]) -> int:
    return [_name(thing) for thing in objects].index(name)


def _sample_steps(rng: np.random.Generator, objects: Sequence[SceneObject]) -> tuple[ParsedStep, ...]:
    names = {_name(thing) for thing in objects}
    count = 2 if rng.random() < TWO_STEP_SHARE else 1
    found: list[ParsedStep] = []
    while len(found) < count:
        parsed_step = instructions.random_step(rng)
        taken = [other.x for other in found]
        if (
            parsed_step.x in names
            and (parsed_step.y[1] == "none" or parsed_step.y in names)
            and parsed_step.x not in taken
            and parsed_step.y not in taken
        ):
            found.append(parsed_step)
    return tuple(found)


def _complete_step(
    rng: np.random.Generator, parsed_step: ParsedStep, objects: Sequence[SceneObject], p_objects: Array
) -> None:
    """Put the object of the first step where that step moves it to."""
    at = _index(objects, parsed_step.x)
    if parsed_step.verb in ("place", "stack"):
        p_objects[at] = _resting_position(
            rng,
            _object(objects, p_objects, np.zeros(len(objects)), at),
            _object_named(objects, p_objects, parsed_step.y),
        )


def _object_named(objects: Sequence[SceneObject], p_objects: Array, name: tuple[str, str]) -> teacher.TeacherObject:
    return _object(objects, p_objects, np.zeros(len(objects)), _index(objects, name))


def _object(objects: Sequence[SceneObject], p_objects: Array, yaws: Array, index: int) -> teacher.TeacherObject:
    thing = objects[index]
    return teacher.TeacherObject(p_objects[index].copy(), float(yaws[index]), thing.shape, thing.height, thing.radius)


def _resting_position(rng: np.random.Generator, x: teacher.TeacherObject, y: teacher.TeacherObject) -> Array:
    """Return a position (3,) of `x` in or on `y`."""
    spread = {"bowl": 0.010, "plate": 0.014}.get(y.shape, 0.005)
    floor = {"bowl": teacher.BOWL_FLOOR}.get(y.shape, y.height)
    return np.array([*(y.p[:2] + rng.normal(0, spread, 2)), floor + x.height / 2])


def _random_arm(rng: np.random.Generator) -> tuple[Array, float, float]:
    """Return tool position (3,), yaw and finger opening of an arm anywhere in the workspace."""
    dice = rng.random()
    if dice < 0.35:
        p_tool, yaw = HOMES[rng.integers(len(HOMES))] + rng.normal(0, 0.02, 3), rng.normal(0, 0.1)
    else:
        p_tool, yaw = np.array([rng.uniform(*r) for r in (REACH_X, REACH_Y, REACH_Z)]), rng.uniform(-1.2, 1.2)
    finger = 0.04 if rng.random() < 0.7 else rng.choice([0.0, 0.0132, 0.034, rng.uniform(0, 0.04)])
    return p_tool, float(yaw), float(finger)


def _sample_situation(
    rng: np.random.Generator,
    parsed_step: ParsedStep,
    objects: Sequence[SceneObject],
    p_objects: Array,
    yaws: Array,
    at_x: int,
    at_y: int | None,
) -> teacher.Situation:
    x = _object(objects, p_objects, yaws, at_x)
    y = None if at_y is None else _object(objects, p_objects, yaws, at_y)
    start = x.p.copy()
    p_tool, yaw, finger = _random_arm(rng)
    speed = float(rng.choice([0.0, 0.0, rng.normal(0, 0.03)]))
    now = teacher.Situation(parsed_step.verb, parsed_step.side, x, y, start, p_tool, yaw, finger, speed)
    if parsed_step.verb == "push":
        return _sample_push(rng, now)
    mode = str(rng.choice(list(MODES), p=list(MODES.values())))
    if mode == "let go" and y is None:
        mode = "held"
    if mode == "far":
        return now
    if rng.random() < 0.12:  # x moved since the start of the step
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
        dice_fingers = rng.random()
        width = x.radius if x.shape != "cube" else teacher.FACE
        finger, speed = (
            (width - rng.uniform(0, 0.0015), rng.normal(0, 0.0015))
            if dice_fingers < 0.45
            else (rng.uniform(width, 0.04), -rng.uniform(0.01, 0.08))
            if dice_fingers < 0.9
            else (rng.uniform(0, 0.003), rng.normal(0, 0.001))
        )
        grip += rng.normal(0, 0.04)
    elif mode == "held":
        p_tool, slip = _carrying_position(rng, x, y, low), rng.normal(0, 0.003, 3)
        finger = (x.radius if x.shape != "cube" else teacher.FACE) - rng.uniform(0, 0.0015)
        speed = rng.normal(0, 0.0015)
        x = replace(x, p=p_tool + slip, yaw=x.yaw if x.shape != "cube" else grip)
    else:
        assert y is not None
        x = replace(x, p=_resting_position(rng, x, y))
        dice_over = rng.random()
        if dice_over < 0.75:
            height = teacher.put_height(x, y)
            height = height + rng.normal(0, 0.003) if dice_over < 0.3 else rng.uniform(height, teacher.TRAVEL + 0.02)
            p_tool = np.array([*(y.p[:2] + rng.normal(0, 0.006, 2)), height])
            opening = (0.034, 0.0) if rng.random() < 0.7 else (rng.uniform(0.0215, 0.034), rng.uniform(0.0, 0.08))
            finger, speed = (opening[0] + rng.normal(0, 0.0005), opening[1]) if dice_over < 0.3 else (0.034, 0.0)
    return replace(
        now, x=x, start=start, p_tool=p_tool, yaw=float(grip), finger=float(finger), finger_velocity=float(speed)
    )


def _carrying_position(
    rng: np.random.Generator, x: teacher.TeacherObject, y: teacher.TeacherObject | None, low: float
) -> Array:
    """Return a tool position (3,) with `x` in the hand."""
    dice = rng.random()
    if y is None or dice < 0.3:  # while lifting
        top = teacher.TRAVEL + 0.02
        height = rng.uniform(low, top) if rng.random() < 0.7 else rng.uniform(top - 0.05, top)
        return np.array([*x.p[:2], height])
    if dice < 0.55:  # while carrying
        return np.array([rng.uniform(*REACH_X), rng.uniform(*REACH_Y), rng.uniform(0.14, teacher.TRAVEL + 0.03)])
    spread = rng.choice([0.003, 0.010, 0.03])
    bottom = teacher.put_height(x, y)
    height = bottom + abs(rng.normal(0, 0.003)) if dice > 0.82 else rng.uniform(bottom, teacher.TRAVEL + 0.01)
    if spread > 0.02:
        height = max(height, 0.13)
    return np.array([*(y.p[:2] + rng.normal(0, spread, 2)), height])


def _sample_push(rng: np.random.Generator, now: teacher.Situation) -> teacher.Situation:
    """Return a situation of a push: the hand behind x, or pushing it, or leaving it."""
    dice = rng.random()
    if dice < 0.22:
        return now
    ahead, length = teacher.direction(now)
    lateral = np.array([-ahead[1], ahead[0]])
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
        contact = -teacher.FACE - teacher.FINGER_DEPTH
        along = contact + rng.normal(0, 0.004) if moved > 0.004 else rng.uniform(-behind, contact)
        spread = 0.004
    else:
        moved = length - rng.uniform(-0.01, 0.02)
        height = rng.uniform(low, teacher.TRAVEL + 0.02)
        along = rng.uniform(-0.11, -teacher.FACE - teacher.FINGER_DEPTH)
        spread = 0.01
    drift = rng.normal(0, 0.006) if moved else 0.0
    p = now.start + np.array([*(ahead * moved + lateral * drift), 0.0])
    p_tool = np.array([*(p[:2] + ahead * along + lateral * rng.normal(0, spread)), height])
    return replace(now, x=replace(now.x, p=p), p_tool=p_tool, yaw=float(yaw), finger=float(finger), finger_velocity=0.0)
