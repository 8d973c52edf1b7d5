"""What a sentence asks for, judged by the simulator's true state, which no policy sees.

A goal is a list of conditions, "pick x" or "place x bowl; place b bowl". Their words are roles of `sentence.roles`, sides, or
names of containers. Kinds of tasks are judged as everywhere. The others, with their tolerances:

- beside x y: on the table, at most BESIDE_M between the circles. left_of, right_of: the same, on the robot's left or right.
- ahead x y: the same, in front of it or behind it: which of both is a matter of where one stands.
- between x b c: on the table, nearer to the middle between them than BETWEEN_M.
- by x SIDE METRES: moved so far, within BY_M.
- table x: on the table, not in the hand.
- open, closed, home: of the gripper and the arm; nothing else has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from vla_ros.arrays import Array
from vla_ros.lab.evaluation.honest.sentence import roles
from vla_ros.sim.arm_description import FINGER_JOINT, HOME, JOINT_NAMES
from vla_ros.sim.simulation import Simulation
from vla_ros.tasks.geometry import is_at_rest
from vla_ros.tasks.judge import ObjectState, evaluate_task
from vla_ros.tasks.objects import height_of, radius_of
from vla_ros.tasks.task import STEP_KINDS, Step, Task

BESIDE_M = 0.10
BETWEEN_M = 0.06
BY_M = 0.025
ON_TABLE_M = 0.01
UNMOVED_M = 0.01
OPEN_M, CLOSED_M = 0.030, 0.006  # of one finger
HOME_RAD = 0.15
FINGER = JOINT_NAMES.index(FINGER_JOINT)


def is_reached(goal: str, simulation: Simulation) -> bool:
    """Return whether all conditions of a goal hold now."""
    return all(_holds(condition.split(), simulation) for condition in goal.split(";"))


def steps_of(goal: str, names: Mapping[str, str]) -> tuple[Step, ...] | None:
    """Return a goal as steps of a task; None: it has conditions that no task has."""
    conditions = [condition.split() for condition in goal.split(";")]
    if any(condition[0] not in STEP_KINDS for condition in conditions):
        return None
    return tuple(Step(kind, *_named(words, names)) for kind, *words in conditions)


def _named(words: list[str], names: Mapping[str, str]) -> tuple[str, str]:
    x, y = [names.get(word, word) for word in [*words, ""][:2]]
    return x, y


def _holds(condition: list[str], simulation: Simulation) -> bool:
    kind, *words = condition
    names = roles(simulation.scene, simulation.task)
    if kind in STEP_KINDS:
        steps = steps_of(" ".join(condition), names)
        assert steps is not None
        return evaluate_task(Task(kind, steps, ""), simulation.start, simulation.truth())[0]
    if kind in _ARM:
        return _ARM[kind](simulation) and _unmoved(simulation)
    now, objects = simulation.truth(), [names.get(word, word) for word in words]
    x = now[objects[0]]
    if kind == "by":
        moved = float(x.p_base[1] - simulation.start[objects[0]].p_base[1]) * (1 if objects[1] == "left" else -1)
        return abs(moved - float(words[2])) < BY_M and _stands(objects[0], x)
    if not _stands(objects[0], x):
        return False
    if kind == "table":
        return True
    if kind == "between":
        middle = (now[objects[1]].p_base + now[objects[2]].p_base) / 2
        return float(np.hypot(*(x.p_base - middle)[:2])) < BETWEEN_M
    offset: Array = x.p_base - now[objects[1]].p_base
    return _gap(objects[0], objects[1], offset) and _SIDES[kind](offset)


def _stands(name: str, x: ObjectState) -> bool:
    """Return whether an object stands on the table, out of the hand."""
    half = height_of(_shape(name)) / 2
    return not x.held and is_at_rest(x.speed_m_s) and abs(float(x.p_base[2]) - half) < ON_TABLE_M


def _gap(x: str, y: str, offset: Array) -> bool:
    gap = float(np.hypot(*offset[:2])) - radius_of(_shape(x)) - radius_of(_shape(y))
    return gap < BESIDE_M


def _shape(name: str) -> str:
    return name.rsplit(maxsplit=1)[-1]


def _unmoved(simulation: Simulation) -> bool:
    start, now = simulation.start, simulation.truth()
    return all(float(np.linalg.norm(now[name].p_base - start[name].p_base)) < UNMOVED_M for name in now)


_SIDES: Mapping[str, Callable[[Array], bool]] = {
    "beside": lambda offset: True,
    "left_of": lambda offset: bool(offset[1] > abs(offset[0])),
    "right_of": lambda offset: bool(-offset[1] > abs(offset[0])),
    "ahead": lambda offset: bool(abs(offset[0]) > abs(offset[1])),
}
_ARM: Mapping[str, Callable[[Simulation], bool]] = {
    "open": lambda simulation: bool(simulation.q[FINGER] > OPEN_M),
    "closed": lambda simulation: bool(simulation.q[FINGER] < CLOSED_M),
    "home": lambda simulation: bool(np.abs(simulation.q - HOME)[np.arange(len(HOME)) != FINGER].max() < HOME_RAD),
}
