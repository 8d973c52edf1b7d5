"""The tasks: what is asked in words, and the judge that looks at the simulator's state. Tolerances stand here, up front.

Left is the robot's left: +y of the base frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.sim.scene import BOWL_RADIUS, PLATE_HEIGHT, PLATE_RADIUS, SHAPES, Scene, sample

KINDS = ("pick", "place", "push", "stack", "sequence")

LIFTED_M = 0.08  # pick: so much higher than at the start
PUSHED_M = 0.08  # push: so far in the direction asked for
PUSH_HEIGHT_M = 0.02  # push: never higher than this above its start
PUSHED_TO_M = 0.03  # push to a thing: free room left between the circles that both fill, seen from above
IN_BOWL_M = BOWL_RADIUS - 0.015  # place: centre within this of the bowl's centre
ON_PLATE_M = PLATE_RADIUS  # place: centre within this of the plate's centre
STACKED_M = 0.025  # stack: centres within this of each other, seen from above
STACK_HEIGHT_M = 0.012  # stack: height off by at most this
AT_REST_M_S = 0.05  # every thing judged moves slower than this

PHRASES: dict[str, tuple[str, ...]] = {
    "pick": ("pick up the {x}", "grab the {x}", "lift the {x}", "take the {x}"),
    "place": ("put the {x} {on} the {y}", "place the {x} {on} the {y}", "drop the {x} {on} the {y}"),
    "push": ("push the {x} to the {side}", "slide the {x} to the {side}", "move the {x} to the {side}"),
    "stack": ("stack the {x} on the {y}", "put the {x} on top of the {y}", "stack the {x} on top of the {y}"),
}


@dataclass(frozen=True)
class Step:
    """One thing to achieve.

    kind: of KINDS but "sequence". x: what is moved. y: where to: a thing, or "left" / "right" for push. reach: m, sum of
    the radii of x and y, for a push to a thing.
    """

    kind: str
    x: str
    y: str = ""
    reach: float = 0.0


@dataclass(frozen=True)
class Task:
    """kind: of KINDS. steps: what the judge checks, all of them at the end. instruction: the words."""

    kind: str
    steps: tuple[Step, ...]
    instruction: str


@dataclass(frozen=True)
class Body:
    """State of one thing. p_base: (3,) m, of its centre. speed: m/s. highest: largest height of the centre so far, m.

    held: a finger touches it.
    """

    p_base: NDArray[np.float64]
    speed: float
    highest: float
    held: bool


def sample_task(seed: int, kind: str = "") -> tuple[Scene, Task]:
    """Return the scene and the task of a seed; the same for the same arguments.

    Raises:
        ValueError: there is no such kind.
    """
    if kind and kind not in KINDS:
        raise ValueError(f"task: there is no kind {kind!r}; there are {', '.join(KINDS)}")
    rng = np.random.default_rng([seed, (KINDS.index(kind) if kind else len(KINDS))])
    kind = kind or str(rng.choice(KINDS))
    shapes = [str(shape) for shape in rng.choice(SHAPES, rng.integers(3, 5))]
    kinds = [kind] if kind != "sequence" else ["place", str(rng.choice(["place", "push", "stack"]))]
    direction, pushed = 0.0, ""
    side = str(rng.choice(["left", "right"]))
    for index, step in enumerate(kinds):
        if step == "push":
            direction, pushed = (1.0 if side == "left" else -1.0), str(index)
            shapes[index] = str(rng.choice(["cube", "cylinder"]))
        if step == "stack":
            shapes[index] = str(rng.choice(["cube", "cylinder"]))
            shapes[index + 1] = "cube"
    scene = sample(rng, shapes, seed, pushed, direction)
    objects = [thing.name for thing in scene.things[2:]]
    targets = [str(target) for target in rng.permutation(["bowl", "plate"])]
    steps, words = [], []
    for index, step in enumerate(kinds):
        x = objects[index]
        y = {"place": targets[index], "push": side, "stack": objects[min(index + 1, len(objects) - 1)]}.get(step, "")
        steps.append(Step(step, x, y))
        phrase = str(rng.choice(PHRASES[step]))
        words.append(phrase.format(x=x, y=y, side=side, on="in" if y == "bowl" else "on"))
    return scene, Task(kind, tuple(steps), ", then ".join(words))


def judge(task: Task, start: Mapping[str, Body], now: Mapping[str, Body]) -> tuple[bool, list[dict[str, object]]]:
    """Judge a task by the simulator's state.

    Args:
        start, now: state of everything by name.

    Returns:
        whether all of it is achieved, and for each step what was measured.
    """
    measures = [{"step": step.kind, "x": step.x, "y": step.y, **_judge(step, start, now)} for step in task.steps]
    return all(bool(measure["success"]) for measure in measures), measures


def _judge(step: Step, start: Mapping[str, Body], now: Mapping[str, Body]) -> dict[str, object]:
    x = now[step.x]
    still = x.speed < AT_REST_M_S
    if step.kind == "pick":
        lifted = float(x.p_base[2] - start[step.x].p_base[2])
        return {"success": lifted >= LIFTED_M and still and x.held, "lifted_m": lifted, "held": x.held}
    rise = float(x.highest - start[step.x].p_base[2])
    if step.kind == "push" and step.y in now:
        room = float(np.hypot(*(x.p_base - now[step.y].p_base)[:2])) - step.reach
        return {"success": room <= PUSHED_TO_M and rise < PUSH_HEIGHT_M and still, "room_m": room, "rise_m": rise}
    if step.kind == "push":
        sign = 1.0 if step.y == "left" else -1.0
        moved = float(sign * (x.p_base[1] - start[step.x].p_base[1]))
        return {"success": moved >= PUSHED_M and rise < PUSH_HEIGHT_M and still, "moved_m": moved, "rise_m": rise}
    y = now[step.y]
    apart = float(np.hypot(*(x.p_base - y.p_base)[:2]))
    height = float(x.p_base[2] - y.p_base[2])
    free = still and not x.held
    if step.kind == "stack":
        # Both stood on the table at the start, so their centres' heights are half of theirs.
        wanted = float(start[step.x].p_base[2] + start[step.y].p_base[2])
        good = apart < STACKED_M and abs(height - wanted) < STACK_HEIGHT_M
    elif step.y == "bowl":
        good = apart < IN_BOWL_M and x.p_base[2] < 0.08
    else:
        good = apart < ON_PLATE_M and abs(height - (start[step.x].p_base[2] + PLATE_HEIGHT / 2)) < STACK_HEIGHT_M
    return {"success": bool(good and free), "apart_m": apart, "height_m": height, "held": x.held}
