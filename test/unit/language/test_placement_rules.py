"""What cannot be, whatever the words."""

from __future__ import annotations

import pytest

from vla_ros.language.parts import NotUnderstood
from vla_ros.language.placement_rules import check_colour, check_movable, fitting_relation, plain_container
from vla_ros.language.steps import ObjectPhrase, Quantity, Relation

BOWL, PLATE, CUBE, BALL = (ObjectPhrase(shape=shape) for shape in ("bowl", "plate", "cube", "ball"))


@pytest.mark.parametrize(
    ("relation", "target", "goes_to", "expected"),
    [
        (Relation.ON, BOWL, False, Relation.IN),
        (Relation.IN, PLATE, False, Relation.ON),
        (Relation.NEXT_TO, BOWL, False, Relation.NEXT_TO),
        (Relation.NEXT_TO, BOWL, True, Relation.IN),
        (Relation.ON, CUBE, False, Relation.ON),
    ],
)
def test_a_relation_is_taken_as_the_target_takes_it(
    relation: Relation, target: ObjectPhrase, goes_to: bool, expected: Relation
) -> None:
    assert fitting_relation(relation, (target,), False, False, "there", goes_to) is expected


@pytest.mark.parametrize(
    ("relation", "targets", "pushes", "stacks"),
    [
        (Relation.UNDER, (BOWL,), False, False),
        (Relation.IN, (CUBE,), False, False),
        (Relation.ON, (BALL,), False, False),
        (Relation.BETWEEN, (BOWL,), False, False),
        (Relation.NEXT_TO, (BOWL, PLATE), False, False),
        (Relation.ON, (PLATE,), True, False),
        (Relation.BEHIND, (CUBE,), False, True),
    ],
)
def test_what_the_target_does_not_take_is_refused(
    relation: Relation, targets: tuple[ObjectPhrase, ...], pushes: bool, stacks: bool
) -> None:
    with pytest.raises(NotUnderstood):
        fitting_relation(relation, targets, pushes, stacks, "there")


def test_colours_that_nothing_has_are_refused() -> None:
    check_colour(ObjectPhrase("red", "cube"))
    check_colour(ObjectPhrase("teal", "bowl"))
    for phrase in (ObjectPhrase("pink", "cube"), ObjectPhrase("lilac"), ObjectPhrase("white", "bowl")):
        with pytest.raises(NotUnderstood, match=phrase.colour):
            check_colour(phrase)


def test_there_is_one_bowl_which_stays_where_it_is() -> None:
    assert plain_container(ObjectPhrase("teal", "bowl", Quantity.ANY)) == BOWL
    with pytest.raises(NotUnderstood, match="there is one bowl"):
        plain_container(ObjectPhrase(shape="bowl", quantity=Quantity.ALL))
    with pytest.raises(NotUnderstood, match="stays where it is"):
        check_movable(BOWL, "the bowl")
