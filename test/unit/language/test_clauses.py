"""Parts to clauses."""

from __future__ import annotations

import pytest

from vla_ros.language.clauses import read_clauses
from vla_ros.language.grammar import Grammar
from vla_ros.language.part_reader import read_parts
from vla_ros.language.parts import NotUnderstood, read_items


def clauses(grammar: Grammar, text: str) -> list[list[str]]:
    found = read_clauses(read_parts(read_items(grammar, text)))
    return [[part.words for part in clause.parts] for clause in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grab the cube, then go home", [["grab", "the cube"], ["go home"]]),
        ("grab the cube and go home", [["grab", "the cube"], ["go home"]]),
        ("grab the cube and the ball", [["grab", "the cube and the ball"]]),
        ("the cube: grab it", [["grab", "the cube"]]),
        (
            "put the ball in the bowl and the cube on the plate",
            [["put", "the ball", "in the bowl"], ["put", "the cube", "on the plate"]],
        ),
        (
            "put the ball in the bowl and the cube too",
            [["put", "the ball", "in the bowl"], ["put", "in the bowl", "the cube"]],
        ),
    ],
)
def test_joints_divide_where_another_thing_is_asked_for(english: Grammar, text: str, expected: list[list[str]]) -> None:
    assert clauses(english, text) == expected


def test_but_first_is_marked(english: Grammar) -> None:
    found = read_clauses(read_parts(read_items(english, "go home, but first grab the cube")))
    assert [clause.first for clause in found] == [False, True]


def test_or_is_refused(english: Grammar) -> None:
    with pytest.raises(NotUnderstood, match="'or'"):
        clauses(english, "grab the cube or the ball")
