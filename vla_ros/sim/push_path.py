"""The path of a push: from where the hand starts to where the object ends, and what stands in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.sim.scene import SceneObject
from vla_ros.tasks.hand import PUSH_LENGTH_M
from vla_ros.tasks.task import Step
from vla_ros.tasks.vocabulary import SIDES

PUSH_TO_LENGTH_M = (0.07, 0.22)
"""Least and largest distance that an object is pushed to another one."""
HAND_SPACE_M = 0.115
"""For the hand behind an object that is to be pushed."""
CLEARANCE_M = 0.055
"""Between the path and every object beside it."""


def push_path(step: Step, objects: Sequence[SceneObject]) -> tuple[Array, Array] | None:
    """Return from where the hand pushes to where the object ends, (2,) each, m; None where that is too near or too far."""
    x = next(item for item in objects if item.name == step.x)
    at = np.array([x.x, x.y])
    if step.y in SIDES:
        direction, length = np.array([0.0, 1.0 if step.y == "left" else -1.0]), PUSH_LENGTH_M
    else:
        y = next(item for item in objects if item.name == step.y)
        direction = np.array([y.x, y.y]) - at
        distance = float(np.linalg.norm(direction))
        direction /= distance
        length = distance - x.radius - y.radius
        if not PUSH_TO_LENGTH_M[0] < length < PUSH_TO_LENGTH_M[1]:
            return None
    return at - HAND_SPACE_M * direction, at + length * direction


def leaves_path_free(other: SceneObject, step: Step, objects: Sequence[SceneObject]) -> bool:
    """Return whether an object leaves the path of a step free; always true of a step's own objects, and without a push."""
    if step.kind != "push" or other.name in (step.x, step.y):
        return True
    path = push_path(step, objects)
    if path is None:
        return False
    start, end = path
    along = end - start
    share = float(np.clip((np.array([other.x, other.y]) - start) @ along / (along @ along), 0.0, 1.0))
    apart = float(np.linalg.norm(np.array([other.x, other.y]) - start - share * along))
    return apart > other.radius + CLEARANCE_M
