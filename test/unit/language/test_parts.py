"""Words to parts."""

from __future__ import annotations

import pytest

from vla_ros.language.grammar import Grammar
from vla_ros.language.parts import NotUnderstood, read_items, read_parts
from vla_ros.language.steps import ObjectPhrase, Quantity, Selector


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
    ],
)
def test_every_word_belongs_to_a_part_or_is_filler(english: Grammar, text: str, expected: list[str]) -> None:
    assert kinds(english, text) == expected


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("the red and the blue cube", [ObjectPhrase("red", "cube"), ObjectPhrase("blue", "cube")]),
        ("the cubes", [ObjectPhrase(shape="cube", quantity=Quantity.ALL)]),
        ("a green one", [ObjectPhrase("green", quantity=Quantity.ANY)]),
        ("the biggest ball", [ObjectPhrase(shape="ball", selector=Selector.BIGGEST)]),
        ("the left cylinder", [ObjectPhrase(shape="cylinder", selector=Selector.LEFT)]),
        ("everything", [ObjectPhrase(quantity=Quantity.ALL)]),
    ],
)
def test_noun_phrases(english: Grammar, text: str, phrases: list[ObjectPhrase]) -> None:
    [part] = read_parts(read_items(english, text))
    assert [mention.phrase for mention in part.mentions] == phrases


def test_all_unknown_words_are_named_once(english: Grammar) -> None:
    with pytest.raises(NotUnderstood, match="'spoon', 'fork'") as caught:
        read_items(english, "put the spoon and the fork on the spoon")
    assert caught.value.unknown == ("spoon", "fork")


@pytest.mark.parametrize("text", ["the red blue cube", "seven", "pick up three"])
def test_parts_that_make_no_sense_are_refused(english: Grammar, text: str) -> None:
    with pytest.raises(NotUnderstood):
        kinds(english, text)
