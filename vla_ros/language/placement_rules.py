"""What cannot be: colours that nothing has, places that hold nothing, things that are not moved."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.language.parts import NotUnderstood
from vla_ros.language.steps import ObjectPhrase, Quantity, Relation
from vla_ros.tasks.vocabulary import COLOURS, CONTAINERS

COLOURS_OF_CONTAINERS = {"bowl": ("teal", "blue", "green"), "plate": ("pink", "purple", "red")}
"""Shape → colours that people call it by; there is one of each, so that its colour tells nothing."""


def fitting_relation(
    relation: Relation, targets: Sequence[ObjectPhrase], pushes: bool, stacks: bool, words: str, goes_to: bool = False
) -> Relation:
    """Return the relation as the target takes it: in a bowl, on a plate.

    Args:
        relation: as it was said. targets: of it.
        pushes, stacks: what is done. words: the place, as it was said. goes_to: it was said with "to".

    Raises:
        NotUnderstood: the target does not take it.
    """
    target = targets[0]
    if relation is Relation.UNDER:
        raise NotUnderstood(f"{words!r}: nothing can be put under something; in, on, next to or behind it can")
    if relation is Relation.BETWEEN and len(targets) != 2:
        raise NotUnderstood(f"{words!r}: between which two objects?")
    if relation is not Relation.BETWEEN and len(targets) > 1:
        raise NotUnderstood(f"{words!r}: one place, please; only 'between' takes two objects")
    if target.several and relation is not Relation.BETWEEN:
        raise NotUnderstood(f"{words!r}: one place, please")
    if pushes:
        if relation is not Relation.NEXT_TO:
            raise NotUnderstood(f"push {words!r}: things are pushed to a side, or to something")
        return relation
    if target.shape in CONTAINERS and relation in (Relation.IN, Relation.ON, Relation.NEXT_TO):
        if relation is Relation.NEXT_TO and not goes_to:
            return relation
        return Relation.IN if target.shape == "bowl" else Relation.ON
    if relation is Relation.IN:
        raise NotUnderstood(f"{words!r}: only a bowl takes things in; on a cube or a cylinder things can stand")
    if relation is Relation.ON and target.shape == "ball":
        raise NotUnderstood(f"{words!r}: nothing stays on a ball")
    if stacks and relation is not Relation.ON:
        raise NotUnderstood(f"stack {words!r}: say 'on'")
    return relation


def check_colour(phrase: ObjectPhrase) -> None:
    """Refuse a colour that no such object has."""
    if not phrase.colour:
        return
    if phrase.shape in CONTAINERS:
        if phrase.colour not in COLOURS_OF_CONTAINERS[phrase.shape]:
            own = COLOURS_OF_CONTAINERS[phrase.shape][0]
            raise NotUnderstood(f"no {phrase.colour} {phrase.shape} is known: the {phrase.shape} is {own}")
    elif phrase.colour not in COLOURS:
        raise NotUnderstood(
            f"no {phrase.colour} {phrase.shape or 'object'} is known: objects are {', '.join(COLOURS[:-1])} or {COLOURS[-1]}"
        )


def plain_container(phrase: ObjectPhrase) -> ObjectPhrase:
    """There is one bowl and one plate: neither colour nor article tells which."""
    if phrase.shape not in CONTAINERS:
        return phrase
    if phrase.quantity in (Quantity.OTHER, Quantity.BOTH, Quantity.ALL):
        raise NotUnderstood(f"{phrase}: there is one {phrase.shape}")
    return ObjectPhrase(shape=phrase.shape)


def check_movable(thing: ObjectPhrase, words: str) -> None:
    if thing.shape in CONTAINERS:
        raise NotUnderstood(
            f"{words!r}: the {thing.shape} stays where it is; only cubes, cylinders and balls are moved"
        )
