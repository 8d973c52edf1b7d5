"""Which of the objects in view is meant: selectors, relations, "the other one", "all" become plain names of objects.

Left is +y of the base frame, near is little x. Lengths in m.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vla_ros.language.parts import NotUnderstood
from vla_ros.language.steps import InstructionStep, ObjectPhrase, Quantity, Relation, Selector, StepAction
from vla_ros.tasks.objects import radius_of
from vla_ros.tasks.vocabulary import CONTAINERS

SAME_SIZE = 0.10
"""Objects whose sizes differ by a smaller share look the same."""
CLEARLY_M = 0.02
"""The leftmost is so much farther to the left than any other."""
ROOM = {"bowl": 3, "plate": 4}
"""Container → so many objects have room in it or on it, side by side, with the fingers that put them there."""
NEXT_M = 0.08
"""Largest gap between two objects that stand next to each other."""


@dataclass(frozen=True)
class SeenThing:
    """An object in view.

    Attributes:
        colour: of `vocabulary.COLOURS`; empty for a container.
        shape: of `vocabulary.SHAPES`.
        p_base: (x, y) of its foot, m, base frame.
        width_m, height_m: its size.
    """

    colour: str
    shape: str
    p_base: tuple[float, float]
    width_m: float
    height_m: float

    @property
    def phrase(self) -> ObjectPhrase:
        """Its name."""
        return ObjectPhrase(self.colour, self.shape)

    def distance_m(self, other: SeenThing) -> float:
        """Return the distance of the centres, seen from above."""
        return math.hypot(self.p_base[0] - other.p_base[0], self.p_base[1] - other.p_base[1])


def described(things: Sequence[SeenThing]) -> str:
    """Return what is in view, from left to right, in words."""
    names = [str(thing.phrase) for thing in sorted(things, key=lambda thing: -thing.p_base[1])]
    return ", ".join(names) if names else "nothing that I know"


def resolved(
    steps: Sequence[InstructionStep], seen: Sequence[SeenThing], before: Sequence[ObjectPhrase] = ()
) -> tuple[InstructionStep, ...]:
    """Return the steps with plain names of objects, one step for each object.

    What is said by colour and shape alone, and is not in view, stays as it was said: the policy looks for it.

    Args:
        steps: as they were read.
        seen: what is in view.
        before: what the last instruction was about: "the other one".

    Raises:
        NotUnderstood: nothing in view fits, or it is not clear which object is meant; the text names those that it can be.
    """
    found: list[InstructionStep] = []
    for step in steps:
        targets = tuple(_one(target, seen, before) for target in step.targets)
        if step.object is None:
            found.append(replace(step, targets=targets))
            continue
        things = objects_of(step.object, [thing for thing in seen if thing.shape not in CONTAINERS], seen, before)
        chosen = [thing for thing in things if thing not in targets] or things
        found += [replace(step, object=thing, targets=targets) for thing in chosen]
    _check_room(found, seen)
    return tuple(found)


def _check_room(steps: Sequence[InstructionStep], seen: Sequence[SeenThing]) -> None:
    """Refuse to put more into a container than has room there, with what is there already."""
    for mark in (thing for thing in seen if thing.shape in ROOM):
        goes = {
            step.object
            for step in steps
            if step.action is StepAction.PLACE
            and step.relation in (Relation.IN, Relation.ON)
            and mark.phrase in step.targets
        }
        near = [thing for thing in seen if thing != mark and thing.distance_m(mark) < radius_of(mark.shape)]
        stays = [thing for thing in near if not any(step.object and is_called(thing, step.object) for step in steps)]
        count, room = len(goes) + len(stays), ROOM[mark.shape]
        if goes and count > room:
            there = f", with {' and '.join(str(thing.phrase) for thing in stays)}" if stays else ""
            raise NotUnderstood(f"there is no room for {count} in or on {mark.phrase}{there}: {room} at most")


def _one(phrase: ObjectPhrase, seen: Sequence[SeenThing], before: Sequence[ObjectPhrase]) -> ObjectPhrase:
    [thing, *more] = objects_of(phrase, seen, seen, before)
    if more:
        raise NotUnderstood(f"{phrase}: which one? It could be {' or '.join(map(str, (thing, *more)))}")
    return thing


def objects_of(
    phrase: ObjectPhrase, among: Sequence[SeenThing], seen: Sequence[SeenThing], before: Sequence[ObjectPhrase] = ()
) -> list[ObjectPhrase]:
    """Return the plain names of the objects that a phrase means; raises as `resolved`.

    Args:
        phrase: as it was said. among: what it can mean. seen: everything in view. before: see `resolved`.
    """
    fitting = [thing for thing in among if is_called(thing, phrase)]
    if phrase.relation is not None:
        marks = [thing for mark in phrase.landmarks for thing in seen if is_called(thing, mark)]
        fitting = _related(phrase, fitting, marks)
    unlike = phrase.unlike or (tuple(before) if phrase.quantity is Quantity.OTHER else ())
    fitting = [thing for thing in fitting if not any(is_called(thing, other) for other in unlike)]
    if phrase.is_plain and not fitting:
        return [phrase]
    if not fitting:
        raise NotUnderstood(f"{phrase}: I see none")
    if phrase.selector is not None:
        fitting = [_selected(phrase, fitting)]
    names = [thing.phrase for thing in fitting]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise NotUnderstood(f"{twice} is there twice: I cannot tell one from the other")
    return _counted(phrase, fitting, names)


def _counted(phrase: ObjectPhrase, fitting: Sequence[SeenThing], names: list[ObjectPhrase]) -> list[ObjectPhrase]:
    """Return as many of the names as were asked for."""
    if phrase.quantity is Quantity.ALL:
        return names
    if phrase.quantity is Quantity.BOTH:
        if len(names) != 2:
            raise NotUnderstood(f"{phrase}: I see {len(names)}: {', '.join(map(str, names))}")
        return names
    if phrase.quantity is Quantity.ANY:
        return [min(fitting, key=lambda thing: math.hypot(*thing.p_base)).phrase]
    if len(names) > 1:
        raise NotUnderstood(f"{phrase}: which one? It could be {' or '.join(map(str, names))}")
    # A name that was enough for people stays as it was said.
    return [phrase] if phrase.is_plain else names


def is_called(thing: SeenThing, phrase: ObjectPhrase) -> bool:
    """Return whether colour and shape of a phrase are true of an object."""
    # A container is called by its shape; its colour tells nothing, and "the purple thing" is no bowl.
    colour = "" if phrase.shape in CONTAINERS else phrase.colour
    return colour in ("", thing.colour) and phrase.shape in ("", thing.shape)


def _related(phrase: ObjectPhrase, fitting: Sequence[SeenThing], marks: Sequence[SeenThing]) -> list[SeenThing]:
    """Return those that are where it was said."""
    if not marks:
        raise NotUnderstood(f"{phrase}: I do not see {' and '.join(map(str, phrase.landmarks))}")
    mark = marks[0]
    others = [thing for thing in fitting if thing != mark]

    def gap_m(thing: SeenThing) -> float:
        return thing.distance_m(mark) - radius_of(thing.shape) - radius_of(mark.shape)

    tests: dict[Relation, Callable[[SeenThing], bool]] = {
        Relation.IN: lambda thing: thing.distance_m(mark) < radius_of(mark.shape),
        Relation.ON: lambda thing: thing.distance_m(mark) < radius_of(mark.shape),
        Relation.NEXT_TO: lambda thing: gap_m(thing) + radius_of(thing.shape) > 0.0 and gap_m(thing) < NEXT_M,
        Relation.LEFT_OF: lambda thing: thing.p_base[1] > mark.p_base[1] + CLEARLY_M,
        Relation.RIGHT_OF: lambda thing: thing.p_base[1] < mark.p_base[1] - CLEARLY_M,
        Relation.IN_FRONT_OF: lambda thing: thing.p_base[0] < mark.p_base[0] - CLEARLY_M,
        Relation.BEHIND: lambda thing: thing.p_base[0] > mark.p_base[0] + CLEARLY_M,
    }
    if phrase.relation not in tests:
        raise NotUnderstood(f"{phrase}: say which object by its colour and shape")
    return [thing for thing in others if tests[phrase.relation](thing)]


def _selected(phrase: ObjectPhrase, fitting: Sequence[SeenThing]) -> SeenThing:
    """Return the one that is clearly the leftmost, biggest …"""
    if len(fitting) == 1:
        return fitting[0]
    selector = phrase.selector
    if selector in (Selector.BIGGEST, Selector.SMALLEST):
        sign = 1.0 if selector is Selector.BIGGEST else -1.0
        order = sorted(fitting, key=lambda thing: -sign * _size(thing))
        if abs(_size(order[0]) - _size(order[1])) < SAME_SIZE * _size(order[0]):
            raise NotUnderstood(f"{phrase}: {order[0].phrase} and {order[1].phrase} look the same size")
        return order[0]
    if selector is Selector.MIDDLE:
        if len(fitting) % 2 == 0:
            raise NotUnderstood(f"{phrase}: none of {len(fitting)} is in the middle")
        return sorted(fitting, key=lambda thing: thing.p_base[1])[len(fitting) // 2]
    keys: dict[Selector | None, Callable[[SeenThing], float]] = {
        Selector.LEFT: lambda thing: -thing.p_base[1],
        Selector.RIGHT: lambda thing: thing.p_base[1],
        Selector.NEAREST: lambda thing: math.hypot(*thing.p_base),
        Selector.FARTHEST: lambda thing: -math.hypot(*thing.p_base),
    }
    key = keys[selector]
    order = sorted(fitting, key=key)
    if key(order[1]) - key(order[0]) < CLEARLY_M:
        raise NotUnderstood(f"{phrase}: {order[0].phrase} and {order[1].phrase} are nearly level; say which")
    return order[0]


def _size(thing: SeenThing) -> float:
    """Return the size that people see: the volume, m^3. A fitted ball fills half of its box."""
    share = {"ball": math.pi / 6, "cylinder": math.pi / 4}.get(thing.shape, 1.0)
    return share * thing.width_m**2 * thing.height_m
