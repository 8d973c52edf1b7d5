"""Words to the parts of clauses."""

from __future__ import annotations

import pytest

from vla_ros.language.grammar import Grammar
from vla_ros.language.part_reader import read_parts
from vla_ros.language.parts import NotUnderstood, read_items


def kinds(grammar: Grammar, text: str) -> list[str]:
    return [part.kind for part in read_parts(read_items(grammar, text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("please put the cube in the bowl", ["verb", "object", "place"]),
        ("can you push the can to the left", ["verb", "object", "direction"]),
        ("move it 2.5 cm to the right", ["verb", "object", "distance", "direction"]),
        ("take the ball off the table", ["verb", "object", "from_table"]),
        ("the cube on the left", ["object", "side"]),
        ("raise your hand by 3 cm", ["verb", "hand", "distance"]),
        ("push it an inch to the left", ["verb", "object", "distance", "direction"]),
        (
            "the cube standing next to the bowl should be lifted",
            ["object", "participle", "place", "verb", "participle"],
        ),
        ("could you perhaps bring it to me", ["verb", "object", "person"]),
        ("into the dish with the cube", ["place", "with", "object"]),
    ],
)
def test_every_word_belongs_to_a_part_or_is_filler(english: Grammar, text: str, expected: list[str]) -> None:
    assert kinds(english, text) == expected


@pytest.mark.parametrize("text", ["the red blue cube", "seven", "pick up three"])
def test_parts_that_make_no_sense_are_refused(english: Grammar, text: str) -> None:
    with pytest.raises(NotUnderstood):
        kinds(english, text)
