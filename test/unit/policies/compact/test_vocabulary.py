"""Tokens and their indices."""

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies.compact.vocabulary import FILE, PADDING, UNKNOWN, Vocabulary, tokenize


def test_words():
    assert tokenize("Don't, PUSH it.") == ["dont", ",", "push", "it", "."]
    vocabulary = Vocabulary.of(["red cube", "the cube"])
    assert vocabulary.encode("the green cube", 5).tolist() == [4, UNKNOWN, 2, PADDING, PADDING]
    assert vocabulary.unknown("the green cube") == ["green"]


def test_a_vocabulary_is_read_as_it_was_written(tmp_path):
    Vocabulary.of(["red cube"]).save(tmp_path)
    assert Vocabulary.load(tmp_path).words == ("cube", "red")


def test_a_longer_text_is_cut() -> None:
    np.testing.assert_array_equal(Vocabulary.of(["red cube"]).encode("red cube red", 2), [3, 2])


def test_a_broken_file_is_one_line_with_its_path(tmp_path) -> None:
    with pytest.raises(ParameterError, match=FILE):
        Vocabulary.load(tmp_path)
