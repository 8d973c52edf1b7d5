"""Words at a small edit distance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.language.spelling import edit_distance, nearest_words

WORDS = st.text("abc", max_size=6)
KNOWN = ("the", "ten", "green", "purple", "cylinder", "in")


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("", "abc", 3), ("geren", "green", 1), ("purpel", "purple", 1), ("cat", "dog", 3)]
)
def test_distance_counts_changes_and_swaps(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == distance


@given(WORDS, WORDS)
def test_distance_is_symmetric_and_bounded(a: str, b: str) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) <= max(len(a), len(b))
    assert (edit_distance(a, b) == 0) == (a == b)


@pytest.mark.parametrize(
    ("word", "first"), [("teh", "the"), ("geren", "green"), ("purpel", "purple"), ("clyinder", "cylinder")]
)
def test_the_nearest_word_comes_first(word: str, first: str) -> None:
    assert nearest_words(word, KNOWN, 3)[0] == first


@pytest.mark.parametrize("word", ["banana", "of", "greenhouse", ""])
def test_far_and_short_words_have_none(word: str) -> None:
    assert nearest_words(word, KNOWN, 3) == []
