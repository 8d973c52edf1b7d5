"""Scenes and tasks beyond the plain ones: more things, other looks, other words. All of it comes from a seed.

`vla_ros.sim.tasks.sample_task` knows the plain scenes only; a `Variation` says in what a scene may differ from them.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, replace

import numpy as np

from vla_ros.sim.scene import (
    BOWL_COLOUR,
    COLOURS,
    CONTAINERS,
    DISTRACTORS,
    PLAIN,
    PLATE_COLOUR,
    SHAPES,
    Look,
    Scene,
    Thing,
)
from vla_ros.sim.tasks import KINDS, PHRASES, Step, Task
from vla_ros.tasks import phrasings

X_RANGE, Y_RANGE = (0.38, 0.66), (-0.29, 0.29)  # of the centres, m
GAP = 0.04  # m: free room between any two
PUSH_REACH = 0.11  # m, that a thing is pushed to a side
PUSH_AWAY = (0.07, 0.22)  # m: way to go when a thing is pushed to another
ROOM_BEHIND = 0.115  # m: for the hand behind a thing that is to be pushed
TRIES = 80
FRONT_SHIFT_M, WRIST_SHIFT_M = 0.03, 0.004  # the wrist camera has its housing and the hand around it
CAMERA_TURN_RAD = math.radians(5.0)


@dataclass(frozen=True)
class Variation:
    """What may differ from the plain scene.

    objects: fewest and most. distractors: most of them. looks: light, colours and textures. cameras: poses, by up to
    3 cm (wrist: 4 mm) and 5 degrees. phrasing: "plain", "training" or "held-out". pairs: "any", "training" or "held-out"
    objects and targets. push_to: things are also pushed to other things. steps: of a sequence, 2 or 3. bare: share of
    things that are named by their shape alone, where that is clear and the phrasing is not plain.
    """

    objects: tuple[int, int] = (3, 4)
    distractors: int = 0
    looks: bool = False
    cameras: bool = False
    phrasing: str = "plain"
    pairs: str = "any"
    push_to: bool = False
    steps: int = 2
    bare: float = phrasings.BARE


TRAINING = Variation((3, 6), 3, looks=True, cameras=True, phrasing="training", pairs="training", push_to=True)


def sample_varied(seed: int, kind: str, variation: Variation) -> tuple[Scene, Task]:
    """Return the scene and the task of a seed; the same for the same arguments.

    Args:
        kind: of KINDS, or "" for any.

    Raises:
        ValueError: there is no such kind.
    """
    if kind and kind not in KINDS:
        raise ValueError(f"task: there is no kind {kind!r}; there are {', '.join(KINDS)}")
    rng = np.random.default_rng([seed, KINDS.index(kind) if kind else len(KINDS), 1])
    kind = kind or str(rng.choice(KINDS))
    while True:
        found = _attempt(rng, kind, variation)
        if found is not None:
            things, steps = found
            look = sample_look(rng, variation)
            if variation.looks:
                things = [replace(thing, tint=_tint(rng, thing)) for thing in things]
            scene = Scene(tuple(things), look, seed)
            return scene, Task(kind, tuple(steps), _instruction(rng, scene, steps, variation))


def _attempt(rng: np.random.Generator, kind: str, variation: Variation) -> tuple[list[Thing], list[Step]] | None:
    kinds = [kind]
    if kind == "sequence":
        kinds = [str(rng.choice(["place", "place", "push", "stack"]))]
        if variation.steps == 3:
            kinds.insert(0, "place" if kinds[0] != "place" else "push")
        last = ("place", "push", "stack", "pick") if variation.steps == 2 else ("push", "stack", "pick")
        kinds.append(str(rng.choice([other for other in last if other != "stack" or "stack" not in kinds])))
    count = int(rng.integers(variation.objects[0], variation.objects[1] + 1))
    objects = _objects(rng, kinds, count, variation)
    if objects is None:
        return None
    placed: list[Thing] = []
    for shape, colour in [("bowl", ""), ("plate", ""), *objects]:
        thing = _put(rng, shape, colour, placed)
        if thing is None:
            if len(placed) < 2 + variation.objects[0] or len(placed) < 2 + len(kinds) + 1:
                return None
            continue
        placed.append(thing)
    steps = []
    targets = [str(target) for target in rng.permutation(CONTAINERS)]
    for index, step in enumerate(kinds):
        x = placed[2 + index]
        if step == "push":
            goal = _push_goal(rng, x, placed, variation.push_to)
            if goal is None:
                return None
            y = goal
        else:
            y = {"place": targets[index % 2], "stack": placed[2 + len(kinds)].name, "pick": ""}[step]
        target = next((thing for thing in placed if thing.name == y), None)
        reach = x.radius + target.radius if step == "push" and target else 0.0
        steps.append(Step(step, x.name, y, reach))
    if variation.pairs != "any":
        strange = [_held_out(step, placed) for step in steps]
        if (variation.pairs == "training") == any(strange):
            return None
    for _ in range(int(rng.integers(0, variation.distractors + 1))):
        free = [
            (shape, colour)
            for shape in DISTRACTORS
            for colour in PLAIN
            if f"{colour} {shape}" not in [thing.name for thing in placed]
        ]
        shape, colour = free[rng.integers(len(free))]
        thing = _put(rng, shape, colour, placed)
        if thing is not None and all(_way_free(thing, step, placed) for step in steps):
            placed.append(thing)
    return placed, steps


def _objects(
    rng: np.random.Generator, kinds: list[str], count: int, variation: Variation
) -> list[tuple[str, str]] | None:
    """Shapes and colours, first what the steps move, then what is stacked on, then the rest; no colour twice."""
    shapes = [str(shape) for shape in rng.choice(SHAPES, max(count, len(kinds) + 1))]
    for index, step in enumerate(kinds):
        if step in ("push", "stack"):
            shapes[index] = str(rng.choice(["cube", "cylinder"]))
    if "stack" in kinds:
        shapes[len(kinds)] = "cube"
    colours = [str(colour) for colour in rng.permutation(list(COLOURS))]
    objects = list(zip(shapes, colours, strict=False))
    if variation.pairs == "training" and any(
        (colour, shape) in phrasings.HELD_OUT_OBJECTS for shape, colour in objects
    ):
        return None
    return objects


def _held_out(step: Step, things: list[Thing]) -> bool:
    x = next(thing for thing in things if thing.name == step.x)
    target = next((thing.shape for thing in things if thing.name == step.y), step.y)
    return (x.colour, x.shape) in phrasings.HELD_OUT_OBJECTS or not phrasings.allowed(x.colour, target)


def _put(rng: np.random.Generator, shape: str, colour: str, placed: list[Thing]) -> Thing | None:
    """Return a thing somewhere free, or None where no place was found."""
    for _ in range(TRIES):
        x, y = float(rng.uniform(*X_RANGE)), float(rng.uniform(*Y_RANGE))
        turned = shape == "cube" or shape in DISTRACTORS
        yaw = round(float(rng.uniform(0.0, np.pi / 2)), 4) if turned else 0.0
        thing = Thing(shape, colour, round(x, 4), round(y, 4), yaw)
        if all(math.hypot(thing.x - o.x, thing.y - o.y) > thing.radius + o.radius + GAP for o in placed):
            return thing
    return None


def _push_goal(rng: np.random.Generator, x: Thing, placed: list[Thing], push_to: bool) -> str | None:
    goals = ["left", "right"]
    if push_to:
        goals += [thing.name for thing in placed if thing is not x and thing.shape != "ball"]
    if push_to and rng.random() < 0.5:
        goals = goals[:2] if rng.random() < 0.5 else goals[2:]
    for goal in rng.permutation(goals):
        step = Step("push", x.name, str(goal))
        way = _way(step, placed)
        if way is None:
            continue
        start, end = way
        if not (Y_RANGE[0] - 0.05 < end[1] < Y_RANGE[1] + 0.05 and Y_RANGE[0] - 0.1 < start[1] < Y_RANGE[1] + 0.1):
            continue
        if X_RANGE[0] - 0.05 < start[0] < X_RANGE[1] + 0.04 and all(_way_free(o, step, placed) for o in placed):
            return str(goal)
    return None


def _way(step: Step, placed: list[Thing]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return from where the hand pushes to where the thing ends, (2,) each; None where that is too near or too far."""
    x = next(thing for thing in placed if thing.name == step.x)
    at = np.array([x.x, x.y])
    if step.y in ("left", "right"):
        direction, length = np.array([0.0, 1.0 if step.y == "left" else -1.0]), PUSH_REACH
    else:
        y = next(thing for thing in placed if thing.name == step.y)
        direction = np.array([y.x, y.y]) - at
        distance = float(np.linalg.norm(direction))
        direction /= distance
        length = distance - x.radius - y.radius
        if not PUSH_AWAY[0] < length < PUSH_AWAY[1]:
            return None
    return at - ROOM_BEHIND * direction, at + length * direction


def _way_free(other: Thing, step: Step, placed: list[Thing]) -> bool:
    """Nothing but what it is about stands on the way of a push, nor where the hand starts it."""
    if step.kind != "push" or other.name in (step.x, step.y):
        return True
    way = _way(step, placed)
    if way is None:
        return False
    start, end = way
    along = end - start
    share = float(np.clip((np.array([other.x, other.y]) - start) @ along / (along @ along), 0.0, 1.0))
    apart = float(np.linalg.norm(np.array([other.x, other.y]) - start - share * along))
    return apart > other.radius + 0.055


def _instruction(rng: np.random.Generator, scene: Scene, steps: list[Step], variation: Variation) -> str:
    phrasing, bare = variation.phrasing, variation.bare
    named = [thing for thing in scene.things if thing.shape in SHAPES]
    shapes = [thing.shape for thing in named]
    phrases = phrasings.HELD_OUT if phrasing == "held-out" else phrasings.TRAINING
    parts = []
    for step in steps:
        sided = step.y in ("left", "right")
        kind = "push to" if step.kind == "push" and not sided else step.kind
        x = scene.thing(step.x)
        if phrasing == "plain" and kind != "push to":
            phrase = str(rng.choice(PHRASES[kind]))
            parts.append(phrase.format(x=x.name, y=step.y, side=step.y, on="in" if step.y == "bowl" else "on"))
            continue
        values = {"x": phrasings.noun(x.shape, x.colour, shapes, rng, bare), "side": step.y}
        if not sided and step.y:
            y = scene.thing(step.y)
            values |= {
                "y": phrasings.noun(y.shape, y.colour, shapes, rng, bare),
                "in": phrasings.preposition(y.shape, rng),
            }
        # In a sequence the held-out words are those that join; each part is said as in training.
        known = phrasings.TRAINING if len(steps) > 1 else phrases
        parts.append(str(rng.choice(known[kind])).format(**values))
    if len(parts) == 1:
        return parts[0]
    if phrasing == "plain" or len(parts) > 2:
        return ", then ".join(parts)
    return str(rng.choice(phrases["sequence"])).format(a=parts[0], b=parts[1])


def sample_look(rng: np.random.Generator, variation: Variation) -> Look:
    """Return how a scene looks."""
    look = Look()
    if variation.looks:
        bright, hue = rng.uniform(0.3, 0.85), rng.uniform(0.0, 1.0)
        saturation = rng.uniform(0.0, 0.22)
        table = np.array(colorsys.hsv_to_rgb(hue, saturation, bright))
        floor = np.array(colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.2), rng.uniform(0.15, 0.6)))
        wall = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.2), rng.uniform(0.25, 0.8))
        if rng.random() < 0.3:  # near the plain one
            table = np.array(look.table[0]) + rng.uniform(-0.05, 0.05, 3)
        look = Look(
            light=float(rng.uniform(0.65, 1.3)),
            tint=tuple(float(v) for v in rng.uniform(0.86, 1.0, 3)),
            lamp=(float(rng.uniform(-0.2, 1.2)), float(rng.uniform(-1.0, 1.0)), float(rng.uniform(1.8, 2.8))),
            table=(_rgb(table), _rgb(table * rng.uniform(0.8, 1.05))),
            texture=str(rng.choice(["gradient", "gradient", "checker", "flat"])),
            floor=(_rgb(floor), _rgb(floor * rng.uniform(0.8, 1.0))),
            wall=_rgb(np.array(wall)),
        )
    if variation.cameras:
        look = replace(look, front=_shift(rng, FRONT_SHIFT_M), wrist=_shift(rng, WRIST_SHIFT_M))
    return look


def _shift(rng: np.random.Generator, most_m: float) -> tuple[float, ...]:
    """A camera's offset: uniform, at most `most_m` and CAMERA_TURN_RAD in length."""
    parts: list[float] = []
    for most in (most_m, CAMERA_TURN_RAD):
        line = rng.normal(size=3)
        parts += [float(v) for v in line / np.linalg.norm(line) * most * rng.uniform()]
    return tuple(parts)


def _tint(rng: np.random.Generator, thing: Thing) -> tuple[float, ...]:
    """A colour that people would still call by the same word."""
    plain = {"bowl": BOWL_COLOUR, "plate": PLATE_COLOUR}.get(thing.shape) or {**COLOURS, **PLAIN}[thing.colour]
    hue, saturation, value = colorsys.rgb_to_hsv(*plain)
    hue = (hue + rng.uniform(-0.015, 0.015)) % 1.0
    saturation = float(np.clip(saturation * rng.uniform(0.88, 1.08), 0.0, 1.0))
    value = float(np.clip(value * rng.uniform(0.82, 1.12), 0.0, 1.0))
    return tuple(round(part, 4) for part in colorsys.hsv_to_rgb(hue, saturation, value))


def _rgb(colour: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(part), 4) for part in np.clip(colour, 0.02, 1.0))
