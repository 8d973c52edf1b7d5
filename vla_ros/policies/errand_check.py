"""The last look of an instruction with several errands: each was checked when it ended, and a later one may have undone it.

A step counts as undone only where its objects are seen, and clearly elsewhere. What does not show is named. Lengths in m.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from vla_ros.language.steps import InstructionStep, ObjectPhrase, Relation, StepAction, related
from vla_ros.language.view import SeenThing, is_called
from vla_ros.tasks.completion import Completion, StepCheck
from vla_ros.tasks.geometry import PUSHED_M
from vla_ros.tasks.objects import radius_of
from vla_ros.tasks.vocabulary import CONTAINERS

CLEARLY_M = 0.03
"""An object is clearly elsewhere that is seen so far beyond what still counts."""
BESIDE_M = 0.10
"""Largest gap between an object and one that it was put beside."""
AXES: Mapping[str, tuple[int, float]] = {"left": (1, 1.0), "right": (1, -1.0), "forward": (0, 1.0), "back": (0, -1.0)}
"""Direction → coordinate of the base frame, and its sign."""
SIDES = {
    Relation.LEFT_OF: "left",
    Relation.RIGHT_OF: "right",
    Relation.BEHIND: "forward",
    Relation.IN_FRONT_OF: "back",
}


def check_errands(
    steps: Sequence[InstructionStep], count: int, before: Sequence[SeenThing], after: Sequence[SeenThing]
) -> list[StepCheck]:
    """Compare what is seen at the end with what steps were to do; those whose object a later step moves are left out.

    Args:
        steps: all of the instruction, in order, with plain names of objects. count: of them, the first ones are checked.
        before: what was seen at its beginning. after: what is seen now.

    Returns:
        One check for each step that is not seen to be as it was done: FAILED, or UNSURE where it does not show.
    """
    found = []
    for number, step in enumerate(steps[:count]):
        moved_later = any(later.object == step.object for later in steps[number + 1 :])
        if step.object is None or moved_later or step.action in (StepAction.PICK, StepAction.PUT_DOWN):
            continue
        thing, marks = _seen(step.object, after), [_seen(target, after) for target in step.targets]
        shown = [mark for mark in marks if mark is not None]
        if thing is None or len(shown) < len(marks):
            hidden = step.object if thing is None else step.targets[marks.index(None)]
            found.append(StepCheck(Completion.UNSURE, f"{hidden} is not in view"))
        elif reason := _wrong(step, thing, shown, _seen(step.object, before)):
            found.append(StepCheck(Completion.FAILED, f"{step.object} {reason}"))
    return found


def undone(checks: Sequence[StepCheck]) -> str:
    """Return what has failed, in words; empty: nothing."""
    return "; ".join(check.reason for check in checks if check.verdict is Completion.FAILED)


def unseen(checks: Sequence[StepCheck]) -> str:
    """Return what does not show, in words; empty: all does."""
    return "; ".join(dict.fromkeys(check.reason for check in checks if check.verdict is Completion.UNSURE))


def _seen(phrase: ObjectPhrase, seen: Sequence[SeenThing]) -> SeenThing | None:
    """Return the one object of this name, or of its colour: what lies in a bowl shows little of its shape."""
    for called in (phrase, ObjectPhrase(phrase.colour)):
        fitting = [thing for thing in seen if is_called(thing, called)]
        if len(fitting) == 1 and (called.colour or called.shape):
            return fitting[0]
        if fitting:
            return None
    return None


def _wrong(step: InstructionStep, thing: SeenThing, marks: Sequence[SeenThing], start: SeenThing | None) -> str:
    """Return why an object is clearly not where a step was to bring it; empty: it may be there."""
    if step.direction:
        if start is None:
            return ""
        axis, sign = AXES[step.direction]
        moved = sign * (thing.p_base[axis] - start.p_base[axis])
        least = step.distance_m or PUSHED_M
        too_far = step.distance_m and moved > step.distance_m + CLEARLY_M
        if moved < least - CLEARLY_M or too_far:
            return f"is {_cm(max(moved, 0.0))} {step.direction} of where it was, not {_cm(least)}"
        return ""
    if step.relation is None:
        return ""
    where = related(step.relation, step.targets)  # "in the bowl"
    off_m = _DISTANCES.get(step.relation, _beside)(thing, marks)
    side = SIDES.get(step.relation)
    if side is not None:
        axis, sign = AXES[side]
        off_m = max(off_m, -sign * (thing.p_base[axis] - marks[0].p_base[axis]))
    return f"is not {where}: it is {_cm(off_m)} off" if off_m > CLEARLY_M else ""


def _inside(thing: SeenThing, marks: Sequence[SeenThing]) -> float:
    """Return how far it is beyond the rim of a container, or beside the middle of what it stands on."""
    mark = marks[0]
    allowed = radius_of(mark.shape) if mark.shape in CONTAINERS else 0.0
    return thing.distance_m(mark) - allowed


def _beside(thing: SeenThing, marks: Sequence[SeenThing]) -> float:
    """Return how much too wide the gap between both is."""
    mark = marks[0]
    return thing.distance_m(mark) - radius_of(thing.shape) - radius_of(mark.shape) - BESIDE_M


def _between(thing: SeenThing, marks: Sequence[SeenThing]) -> float:
    """Return how far it is from the way between both, beyond the half of it."""
    (ax, ay), (bx, by) = marks[0].p_base, marks[1].p_base
    apart = marks[0].distance_m(marks[1])
    return math.hypot(thing.p_base[0] - (ax + bx) / 2, thing.p_base[1] - (ay + by) / 2) - apart / 2


_DISTANCES: Mapping[Relation, Callable[[SeenThing, Sequence[SeenThing]], float]] = {
    Relation.IN: _inside,
    Relation.ON: _inside,
    Relation.BETWEEN: _between,
}


def _cm(length_m: float) -> str:
    return f"{100 * length_m:.0f} cm"
