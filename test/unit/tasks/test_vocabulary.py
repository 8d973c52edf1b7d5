"""Every word that instructions are written with is one that a grammar reads."""

from __future__ import annotations

from vla_ros.tasks.vocabulary import ADJECTIVES, COLOUR_OF_ADJECTIVE, COLOURS, NOUNS, SHAPE_OF_NOUN, SHAPES


def test_every_noun_is_read_as_its_shape() -> None:
    assert set(NOUNS) == set(SHAPES)
    assert all(SHAPE_OF_NOUN[noun] == shape for shape, nouns in NOUNS.items() for noun in nouns)


def test_every_adjective_is_read_as_its_colour() -> None:
    assert all(COLOUR_OF_ADJECTIVE[colour] == colour for colour in COLOURS)
    assert all(COLOUR_OF_ADJECTIVE[word] == colour for colour, words in ADJECTIVES.items() for word in words)


def test_no_noun_is_a_colour() -> None:
    assert not set(SHAPE_OF_NOUN) & set(COLOUR_OF_ADJECTIVE)
