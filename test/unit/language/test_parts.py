"""The words of a sentence with what they can mean."""

from __future__ import annotations

import pytest

from vla_ros.language.grammar import Grammar
from vla_ros.language.parts import NotUnderstood, read_items


def test_all_unknown_words_are_named_once(english: Grammar) -> None:
    with pytest.raises(NotUnderstood, match="'spoon', 'fork'") as caught:
        read_items(english, "put the spoon and the fork on the spoon")
    assert caught.value.unknown == ("spoon", "fork")


def test_the_longest_entry_counts(english: Grammar) -> None:
    assert [item.words for item in read_items(english, "pick up the cube, to the left of it")] == [
        "pick up", "the", "cube", ",", "to the left of", "it"
    ]  # fmt: skip


def test_a_number_in_digits_is_known(english: Grammar) -> None:
    [number, unit] = read_items(english, "2,5 cm")
    assert number.sense("numbers") is not None and unit.sense("units_cm") is not None
    assert number.senses[0].value == "2.5"
