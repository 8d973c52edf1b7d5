"""Plain scenes and tasks from a seed. `vla_ros.sim.variation` samples those that differ from them."""

from __future__ import annotations

import numpy as np

from vla_ros.sim.scene import Scene, sample_scene
from vla_ros.tasks.phrasings import plain_instruction
from vla_ros.tasks.task import KINDS, Step, Task, check_kind
from vla_ros.tasks.vocabulary import CONTAINERS, MOVABLE_SHAPES, SIDES, STABLE_SHAPES


def sample_task(seed: int, kind: str = "") -> tuple[Scene, Task]:
    """Return the scene and the task of a seed; the same for the same arguments.

    Args:
        seed: any whole number from 0.
        kind: of `KINDS`, or "" for any.

    Raises:
        ValueError: there is no such kind.
    """
    check_kind(kind)
    rng = np.random.default_rng([seed, (KINDS.index(kind) if kind else len(KINDS))])
    kind = kind or str(rng.choice(KINDS))
    shapes = [str(shape) for shape in rng.choice(MOVABLE_SHAPES, rng.integers(3, 5))]
    kinds = [kind] if kind != "sequence" else ["place", str(rng.choice(["place", "push", "stack"]))]
    direction, pushed = 0.0, ""
    side = str(rng.choice(SIDES))
    for index, step in enumerate(kinds):
        if step == "push":
            direction, pushed = (1.0 if side == "left" else -1.0), str(index)
            shapes[index] = str(rng.choice(STABLE_SHAPES))
        if step == "stack":
            shapes[index] = str(rng.choice(STABLE_SHAPES))
            shapes[index + 1] = "cube"
    scene = sample_scene(rng, shapes, seed, pushed, direction)
    names = [item.name for item in scene.objects[2:]]
    targets = [str(target) for target in rng.permutation(CONTAINERS)]
    steps, instructions = [], []
    for index, step in enumerate(kinds):
        x = names[index]
        y = {"place": targets[index], "push": side, "stack": names[min(index + 1, len(names) - 1)]}.get(step, "")
        steps.append(Step(step, x, y))
        instructions.append(plain_instruction(step, x, y, side, rng))
    return scene, Task(kind, tuple(steps), ", then ".join(instructions))
