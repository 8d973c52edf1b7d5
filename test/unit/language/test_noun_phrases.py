"""Noun phrases to objects."""

from __future__ import annotations

import pytest

from vla_ros.language.grammar import Grammar
from vla_ros.language.noun_phrases import ItemCursor, read_mentions
from vla_ros.language.parts import NotUnderstood, read_items
from vla_ros.language.steps import ObjectPhrase, Quantity, Selector


def phrases_of(grammar: Grammar, text: str) -> list[ObjectPhrase]:
    cursor = ItemCursor(read_items(grammar, text))
    found = [mention.phrase for mention in read_mentions(cursor)]
    assert cursor.ended, f"{cursor.peek()} is left"
    return found


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("the red and the blue cube", [ObjectPhrase("red", "cube"), ObjectPhrase("blue", "cube")]),
        ("the cubes", [ObjectPhrase(shape="cube", quantity=Quantity.ALL)]),
        ("a green one", [ObjectPhrase("green", quantity=Quantity.ANY)]),
        ("the biggest ball", [ObjectPhrase(shape="ball", selector=Selector.BIGGEST)]),
        ("the left cylinder", [ObjectPhrase(shape="cylinder", selector=Selector.LEFT)]),
        ("everything", [ObjectPhrase(quantity=Quantity.ALL)]),
        ("the one that is red", [ObjectPhrase("red")]),
        ("the thing that is a green ball", [ObjectPhrase("green", "ball")]),
        ("the cube, which is the biggest", [ObjectPhrase(shape="cube", selector=Selector.BIGGEST)]),
        ("the leftmost of the cubes", [ObjectPhrase(shape="cube", selector=Selector.LEFT)]),
        ("one of the balls", [ObjectPhrase(shape="ball", quantity=Quantity.ANY)]),
        ("whatever is yellow", [ObjectPhrase("yellow", quantity=Quantity.ANY)]),
        ("the cube that isn't red", [ObjectPhrase(shape="cube", unlike=(ObjectPhrase("red", "cube"),))]),
        (
            "all cubes except the red one and the blue one",
            [
                ObjectPhrase(
                    shape="cube",
                    quantity=Quantity.ALL,
                    unlike=(ObjectPhrase("red", "cube"), ObjectPhrase("blue", "cube")),
                )
            ],
        ),
        ("the cube and the ball both", [ObjectPhrase(shape="cube"), ObjectPhrase(shape="ball")]),
    ],
)
def test_noun_phrases(english: Grammar, text: str, phrases: list[ObjectPhrase]) -> None:
    assert phrases_of(english, text) == phrases


@pytest.mark.parametrize(
    "text", ["the red blue cube", "the red cube that is blue", "the biggest cube of the smallest cubes"]
)
def test_words_that_contradict_each_other_are_refused(english: Grammar, text: str) -> None:
    with pytest.raises(NotUnderstood):
        phrases_of(english, text)


@pytest.mark.parametrize("text", ["", "in the bowl", "something", "the"])
def test_what_names_nothing_is_no_noun_phrase(english: Grammar, text: str) -> None:
    cursor = ItemCursor(read_items(english, text))
    assert read_mentions(cursor) == [] and cursor.at == 0
