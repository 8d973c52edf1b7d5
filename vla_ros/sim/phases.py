"""What the scripted expert decides with: phases of a step, goals of the tool, what it observes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vla_ros.arrays import Array
from vla_ros.tasks.subtasks import SUBTASKS
from vla_ros.tasks.vocabulary import SIDES

PHASES = (*SUBTASKS, "put {x} aside")
"""The subtasks, and what the expert does with an object that is wrongly held: {x} is that one. Data sets store indices."""
REACH, DOWN, GRASP, LIFT, CARRY, PUT, LET_GO, LEAVE, BEHIND, DOWN_BEHIND, PUSH, LEAVE_THERE, DONE, ASIDE = range(14)
GRASP_PHASES = (REACH, DOWN, GRASP, LIFT, CARRY, PUT, LET_GO, LEAVE)
PUSH_PHASES = (BEHIND, DOWN_BEHIND, PUSH, LEAVE_THERE)


class ToolGoal(NamedTuple):
    """A tool pose to go to, pointing down.

    Attributes:
        x, y, z: m, base frame.
        yaw: rad.
        gripper: finger joint on arrival, m.
        speed: of the tool, m/s.
    """

    x: float
    y: float
    z: float
    yaw: float
    gripper: float
    speed: float


@dataclass(frozen=True)
class ExpertDecision:
    """What to do now.

    Attributes:
        phase: index into PHASES.
        goals: nearest first, at least one.
        step: index of the task's step.
        x, y: names of what it is about, or empty.
        progress: 0..1 of the whole task.
        done: all steps are.
    """

    phase: int
    goals: tuple[ToolGoal, ...]
    step: int
    x: str
    y: str
    progress: float
    done: bool = False

    @property
    def subtask(self) -> str:
        """The phase in words."""
        where = f"the {self.y}" if self.y and self.y not in SIDES else self.y
        return PHASES[self.phase].format(x=f"the {self.x}", y=where)


@dataclass(frozen=True)
class ExpertObservation:
    """The state of the arm that the expert decides on.

    Attributes:
        time_s: simulated time.
        tool: (4,) x y z yaw, measured, base frame.
        commanded_tool: (4,) the same as commanded.
        finger: opening, m.
        finger_speed: m/s.
        gripped: name of what is between the fingers, or empty.
    """

    time_s: float
    tool: Array
    commanded_tool: Array
    finger: float
    finger_speed: float
    gripped: str


def heading(shape: str, pose: Array) -> float:
    """Return the direction in which an object's side faces, seen from above, rad; 0 for what is round.

    Args:
        shape: of `vocabulary.SHAPES` or a distractor.
        pose: (4, 4), T_base_object.
    """
    if shape == "cylinder":
        return math.atan2(pose[1, 2], pose[0, 2]) if abs(pose[2, 2]) < 0.7 else 0.0
    if shape in ("ball", "bowl", "plate"):
        return 0.0
    level = (int(np.argmax(np.abs(pose[2, :3]))) + 1) % 3
    return math.atan2(pose[1, level], pose[0, level])
