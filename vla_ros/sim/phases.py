"""The words of the expert: phases of a step, goals of the tool, what is seen and what is decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PHASES = (
    "reach for {x}",
    "go down to {x}",
    "grasp {x}",
    "lift {x}",
    "carry {x} to {y}",
    "put {x} on {y}",
    "let go of {x}",
    "leave {x}",
    "reach behind {x}",
    "go down behind {x}",
    "push {x}",
    "leave {x} there",
    "done",
    "put {x} aside",
)
"""Subtasks; {x} and {y} stand for what the step moves and where to, {x} of the last one for what is wrongly held."""
REACH, DOWN, GRASP, LIFT, CARRY, PUT, LET_GO, LEAVE, BEHIND, DOWN_BEHIND, PUSH, LEAVE_THERE, DONE, ASIDE = range(14)
GRASPING = (REACH, DOWN, GRASP, LIFT, CARRY, PUT, LET_GO, LEAVE)
PUSHING = (BEHIND, DOWN_BEHIND, PUSH, LEAVE_THERE)


class Goal(NamedTuple):
    """A tool pose on the way: pointing down. x, y, z: m, base frame. yaw: rad. gripper: finger joint on arrival, m.
    speed: of the tool, m/s."""

    x: float
    y: float
    z: float
    yaw: float
    gripper: float
    speed: float


@dataclass(frozen=True)
class Decision:
    """phase: index into PHASES. goals: nearest first, at least one. x, y: names of what it is about, or empty.

    step: index of the task's step. progress: 0..1 of the whole task. done: all steps are.
    """

    phase: int
    goals: tuple[Goal, ...]
    step: int
    x: str
    y: str
    progress: float
    done: bool = False

    @property
    def subtask(self) -> str:
        """The phase in words."""
        where = f"the {self.y}" if self.y and self.y not in ("left", "right") else self.y
        return PHASES[self.phase].format(x=f"the {self.x}", y=where)


@dataclass(frozen=True)
class View:
    """What the expert looks at. tool: x y z yaw, measured. aim: the same as commanded. finger: m.

    gripped: name of what is between the fingers, or empty.
    """

    time_s: float
    tool: Array
    aim: Array
    finger: float
    finger_speed: float
    gripped: str


def heading(shape: str, pose: Array) -> float:
    """Return the direction in which a thing's side faces, seen from above, rad; 0 for what is round.

    Args:
        shape: of the thing. pose: (4, 4), T_base_thing.
    """
    if shape == "cylinder":
        return math.atan2(pose[1, 2], pose[0, 2]) if abs(pose[2, 2]) < 0.7 else 0.0
    if shape in ("ball", "bowl", "plate"):
        return 0.0
    level = (int(np.argmax(np.abs(pose[2, :3]))) + 1) % 3
    return math.atan2(pose[1, level], pose[0, level])
