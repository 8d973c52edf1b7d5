"""Many spellings of one word become one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.guard.text_normalization import collapse_repeats, misspellings, normalize


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "STOP",
        " s t o p ",
        "s-t-o-p",
        "ѕtор",
        "st0p",
        "5top",
        "$top",
        "s\u200bt\u200bo\u200bp",
        "stóp",
        "ｓｔｏｐ",
        "𝓼𝓽𝓸𝓹",
    ],
)
def test_a_disguised_word_is_read_as_the_word(text: str) -> None:
    assert normalize(text) == "stop"


def test_numbers_stay_and_apostrophes_go() -> None:
    assert normalize("Don’t move 2 cubes, 13 cm!") == "dont move 2 cubes 13 cm"


@given(st.text(max_size=50))
def test_whatever_is_typed_becomes_letters_digits_and_spaces(text: str) -> None:
    assert all(character.isalnum() or character == " " for character in normalize(text))


def test_repeated_letters_collapse_and_neighbours_may_be_swapped() -> None:
    assert collapse_repeats("stooopp") == "stop"
    assert misspellings("stop") == {"stop", "tsop", "sotp", "stpo"}
    assert misspellings("off") == {"of"}, "short words have too many neighbours"
