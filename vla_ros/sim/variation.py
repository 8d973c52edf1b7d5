"""Scenes and tasks beyond the plain ones: more objects, other appearances, other words. All of it comes from a seed.

`vla_ros.sim.task_sampler.sample_task` knows the plain scenes only. A `Variation` says in what a scene may differ from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from vla_ros.sim.appearance import sample_appearance, sample_shade
from vla_ros.sim.push_path import leaves_path_free, push_path
from vla_ros.sim.scene import Scene, SceneObject
from vla_ros.tasks import phrasings
from vla_ros.tasks.objects import DISTRACTOR_HALF_SIZES_M, DISTRACTOR_RGB, rgb_of
from vla_ros.tasks.task import KINDS, Step, Task, check_kind
from vla_ros.tasks.vocabulary import COLOURS, CONTAINERS, MOVABLE_SHAPES, SIDES, STABLE_SHAPES

X_RANGE, Y_RANGE = (0.38, 0.66), (-0.29, 0.29)
"""Of the centres, m, base frame."""
GAP_M = 0.04
"""Free space between any two objects."""
PLACEMENT_TRIES = 80


@dataclass(frozen=True)
class Variation:
    """What may differ from the plain scene.

    Attributes:
        objects: fewest and most.
        distractors: most of them.
        surfaces: light, colours and textures vary.
        cameras: their poses vary, by up to 3 cm (wrist: 4 mm) and 5 degrees.
        phrasing: "plain", "training" or "held-out".
        pairs: of objects and targets, "any", "training" or "held-out".
        push_to: objects are also pushed to other objects.
        steps: of a sequence, 2 or 3.
        shape_only_share: share of objects that are named by their shape alone, where that is clear and the phrasing is
            not plain.
    """

    objects: tuple[int, int] = (3, 4)
    distractors: int = 0
    surfaces: bool = False
    cameras: bool = False
    phrasing: str = "plain"
    pairs: str = "any"
    push_to: bool = False
    steps: int = 2
    shape_only_share: float = phrasings.SHAPE_ONLY_SHARE


TRAINING = Variation((3, 6), 3, surfaces=True, cameras=True, phrasing="training", pairs="training", push_to=True)


def sample_varied(seed: int, kind: str, variation: Variation) -> tuple[Scene, Task]:
    """Return the scene and the task of a seed; the same for the same arguments.

    Args:
        seed: any whole number from 0.
        kind: of `KINDS`, or "" for any.
        variation: what may differ.

    Raises:
        ValueError: there is no such kind.
    """
    check_kind(kind)
    rng = np.random.default_rng([seed, KINDS.index(kind) if kind else len(KINDS), 1])
    kind = kind or str(rng.choice(KINDS))
    while True:
        found = _try_scene(rng, kind, variation)
        if found is not None:
            objects, steps = found
            appearance = sample_appearance(rng, variation.surfaces, variation.cameras)
            if variation.surfaces:
                objects = [
                    replace(item, drawn_rgb=sample_shade(rng, rgb_of(item.shape, item.colour))) for item in objects
                ]
            scene = Scene(tuple(objects), appearance, seed)
            return scene, Task(kind, tuple(steps), _instruction(rng, scene, steps, variation))


def _try_scene(
    rng: np.random.Generator, kind: str, variation: Variation
) -> tuple[list[SceneObject], list[Step]] | None:
    """Return objects and steps, or None where these draws cannot be placed or asked for."""
    kinds = _step_kinds(rng, kind, variation)
    count = int(rng.integers(variation.objects[0], variation.objects[1] + 1))
    wanted = _shapes_and_colours(rng, kinds, count, variation)
    if wanted is None:
        return None
    placed: list[SceneObject] = []
    for shape, colour in [("bowl", ""), ("plate", ""), *wanted]:
        item = _place(rng, shape, colour, placed)
        if item is None:
            if len(placed) < 2 + variation.objects[0] or len(placed) < 2 + len(kinds) + 1:
                return None
            continue
        placed.append(item)
    steps = _steps(rng, kinds, placed, variation)
    if steps is None:
        return None
    if variation.pairs != "any":
        held_out = [_is_held_out(step, placed) for step in steps]
        if (variation.pairs == "training") == any(held_out):
            return None
    _add_distractors(rng, placed, steps, variation)
    return placed, steps


def _step_kinds(rng: np.random.Generator, kind: str, variation: Variation) -> list[str]:
    if kind != "sequence":
        return [kind]
    kinds = [str(rng.choice(["place", "place", "push", "stack"]))]
    if variation.steps == 3:
        kinds.insert(0, "place" if kinds[0] != "place" else "push")
    last = ("place", "push", "stack", "pick") if variation.steps == 2 else ("push", "stack", "pick")
    kinds.append(str(rng.choice([other for other in last if other != "stack" or "stack" not in kinds])))
    return kinds


def _shapes_and_colours(
    rng: np.random.Generator, kinds: list[str], count: int, variation: Variation
) -> list[tuple[str, str]] | None:
    """Return first what the steps move, then what is stacked on, then the rest; no colour comes twice."""
    shapes = [str(shape) for shape in rng.choice(MOVABLE_SHAPES, max(count, len(kinds) + 1))]
    for index, step in enumerate(kinds):
        if step in ("push", "stack"):
            shapes[index] = str(rng.choice(STABLE_SHAPES))
    if "stack" in kinds:
        shapes[len(kinds)] = "cube"
    colours = [str(colour) for colour in rng.permutation(list(COLOURS))]
    wanted = list(zip(shapes, colours, strict=False))
    held_out = [(colour, shape) in phrasings.HELD_OUT_OBJECTS for shape, colour in wanted]
    return None if variation.pairs == "training" and any(held_out) else wanted


def _steps(
    rng: np.random.Generator, kinds: list[str], placed: list[SceneObject], variation: Variation
) -> list[Step] | None:
    """Return what the objects are to do, or None where there is no space for a push."""
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
        target = next((item for item in placed if item.name == y), None)
        radius_sum_m = x.radius + target.radius if step == "push" and target else 0.0
        steps.append(Step(step, x.name, y, radius_sum_m))
    return steps


def _add_distractors(
    rng: np.random.Generator, placed: list[SceneObject], steps: list[Step], variation: Variation
) -> None:
    for _ in range(int(rng.integers(0, variation.distractors + 1))):
        unused = [
            (shape, colour)
            for shape in DISTRACTOR_HALF_SIZES_M
            for colour in DISTRACTOR_RGB
            if f"{colour} {shape}" not in [item.name for item in placed]
        ]
        shape, colour = unused[rng.integers(len(unused))]
        item = _place(rng, shape, colour, placed)
        if item is not None and all(leaves_path_free(item, step, placed) for step in steps):
            placed.append(item)


def _is_held_out(step: Step, objects: list[SceneObject]) -> bool:
    x = next(item for item in objects if item.name == step.x)
    target = next((item.shape for item in objects if item.name == step.y), step.y)
    return (x.colour, x.shape) in phrasings.HELD_OUT_OBJECTS or not phrasings.is_trained_target(x.colour, target)


def _place(rng: np.random.Generator, shape: str, colour: str, placed: list[SceneObject]) -> SceneObject | None:
    """Return an object somewhere free, or None where no place was found."""
    for _ in range(PLACEMENT_TRIES):
        x, y = float(rng.uniform(*X_RANGE)), float(rng.uniform(*Y_RANGE))
        turned = shape == "cube" or shape in DISTRACTOR_HALF_SIZES_M
        yaw = round(float(rng.uniform(0.0, np.pi / 2)), 4) if turned else 0.0
        item = SceneObject(shape, colour, round(x, 4), round(y, 4), yaw)
        if all(math.hypot(item.x - o.x, item.y - o.y) > item.radius + o.radius + GAP_M for o in placed):
            return item
    return None


def _push_goal(rng: np.random.Generator, x: SceneObject, placed: list[SceneObject], push_to: bool) -> str | None:
    """Return a side or the name of an object that x can be pushed to; None where there is none."""
    goals = list(SIDES)
    if push_to:
        goals += [item.name for item in placed if item is not x and item.shape != "ball"]
    if push_to and rng.random() < 0.5:
        goals = goals[:2] if rng.random() < 0.5 else goals[2:]
    for goal in rng.permutation(goals):
        step = Step("push", x.name, str(goal))
        path = push_path(step, placed)
        if path is None:
            continue
        start, end = path
        if not (Y_RANGE[0] - 0.05 < end[1] < Y_RANGE[1] + 0.05 and Y_RANGE[0] - 0.1 < start[1] < Y_RANGE[1] + 0.1):
            continue
        if X_RANGE[0] - 0.05 < start[0] < X_RANGE[1] + 0.04 and all(leaves_path_free(o, step, placed) for o in placed):
            return str(goal)
    return None


def _instruction(rng: np.random.Generator, scene: Scene, steps: list[Step], variation: Variation) -> str:
    phrasing = variation.phrasing
    phrases = phrasings.HELD_OUT if phrasing == "held-out" else phrasings.TRAINING
    # In a sequence the held-out words are those that join. Each part is said as in training.
    step_phrases = phrasings.TRAINING if len(steps) > 1 else phrases
    parts = [_clause(rng, scene, step, step_phrases, variation) for step in steps]
    if len(parts) == 1:
        return parts[0]
    if phrasing == "plain" or len(parts) > 2:
        return ", then ".join(parts)
    return str(rng.choice(phrases["sequence"])).format(a=parts[0], b=parts[1])


def _clause(
    rng: np.random.Generator, scene: Scene, step: Step, phrases: dict[str, tuple[str, ...]], variation: Variation
) -> str:
    """Return the words for one step."""
    is_sided = step.y in SIDES
    kind = "push to" if step.kind == "push" and not is_sided else step.kind
    x = scene.find(step.x)
    if variation.phrasing == "plain" and kind != "push to":
        return phrasings.plain_instruction(kind, x.name, step.y, step.y, rng)
    shapes = [item.shape for item in scene.objects if item.shape in MOVABLE_SHAPES]
    share = variation.shape_only_share
    values = {"x": phrasings.noun_phrase(x.shape, x.colour, shapes, rng, share), "side": step.y}
    if not is_sided and step.y:
        y = scene.find(step.y)
        values |= {
            "y": phrasings.noun_phrase(y.shape, y.colour, shapes, rng, share),
            "in": phrasings.preposition(y.shape, rng),
        }
    return str(rng.choice(phrases[kind])).format(**values)
