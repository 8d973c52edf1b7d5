"""Grammars are read from files, whose faults are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from vla_ros.language.grammar import Grammar, load_grammar, split
from vla_ros.parameters import ParameterError
from vla_ros.resources import share
from vla_ros.tasks.vocabulary import COLOUR_OF_ADJECTIVE, SHAPE_OF_NOUN


def test_a_text_is_split_without_accents_apostrophes_and_case() -> None:
    assert split("What's the Würfel's size — 2,5 cm?") == ["whats", "the", "wurfels", "size", "—", "2,5", "cm", "?"]


def test_every_word_of_the_vocabulary_has_the_same_meaning(english: Grammar) -> None:
    meanings = {**COLOUR_OF_ADJECTIVE, **SHAPE_OF_NOUN}
    assert {word: {sense.value for sense in english.senses[(word,)]} & {meanings[word]} for word in meanings} == {
        word: {meaning} for word, meaning in meanings.items()
    }


def test_forty_names_of_colours_are_known(english: Grammar) -> None:
    names = {
        word for group in ("colours", "other_colours") for words in english.listed[group].values() for word in words
    }
    assert len(names) >= 40


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda tree: tree.pop("verbs"), "verbs: is missing"),
        (lambda tree: tree.update(extra=[]), "extra: there is no such key"),
        (lambda tree: tree.update(version=2), "version 2"),
        (lambda tree: tree.update(fillers="please"), "fillers: expected a list"),
        (lambda tree: tree["relations"].update(around=["around"]), "relations.around: there is no such relation"),
        (lambda tree: tree["colours"].update(red=[False]), "colours.red: expected a list"),
    ],
)
def test_a_fault_in_a_file_names_its_key(
    change: Callable[[dict[str, Any]], object], named: str, tmp_path: Path
) -> None:
    tree = yaml.safe_load((share() / "config" / "words" / "en.yaml").read_text())
    change(tree)
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(tree))
    with pytest.raises(ParameterError, match=named):
        load_grammar(str(file))


def test_a_language_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ParameterError, match="there are .*en"):
        load_grammar("klingon")
