"""Which verb of a clause counts."""

from __future__ import annotations

import pytest

from vla_ros.language.clause_verb import read_verb
from vla_ros.language.grammar import Grammar
from vla_ros.language.part_reader import read_parts
from vla_ros.language.parts import ClausePart, NotUnderstood, read_items


def verb_of(grammar: Grammar, text: str) -> tuple[ClausePart, list[ClausePart]]:
    return read_verb(read_parts(read_items(grammar, text)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("lift the cube", "lift"),
        ("the cube should be lifted", "lift"),
        ("the cube should be in the bowl", "belong"),
        ("the cube goes in the bowl", "belong"),
        ("i want the cube pushed to the left", "push"),
        ("get the cube lifted", "lift"),
        ("would you mind lifting the cube", "lift"),
        ("let the cube go into the bowl", "belong"),
        ("give the cube a push", "push"),
        ("give the cube", "give"),
        ("can i have the cube", "have"),
        ("the cube", ""),
    ],
)
def test_a_weak_verb_gives_way(english: Grammar, text: str, value: str) -> None:
    assert verb_of(english, text)[0].value == value


def test_a_participle_can_tell_where_something_is(english: Grammar) -> None:
    verb, rest = verb_of(english, "the cube placed in the bowl should be lifted")
    assert (verb.value, [part.kind for part in rest]) == ("lift", ["object", "relative", "place"])


@pytest.mark.parametrize("text", ["grab push the cube", "you moved the cube to the left", "the cube lifted"])
def test_two_verbs_and_what_was_are_refused(english: Grammar, text: str) -> None:
    with pytest.raises(NotUnderstood):
        verb_of(english, text)
