"""Sentences to steps, questions and refusals that help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.language.reader import AskedQuestion, InstructionReader, LanguageParameters
from vla_ros.language.steps import ObjectPhrase
from vla_ros.parameters import ParameterError

READER = InstructionReader.of(LanguageParameters(["en"]))


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("What do you see?", AskedQuestion("see")),
        ("where is my red cube?", AskedQuestion("where", ObjectPhrase("red", "cube"))),
        ("please, what can you do", AskedQuestion("can")),
        ("what is in your hand?", AskedQuestion("hold")),
        ("what are you doing?", AskedQuestion("doing")),
        ("help", AskedQuestion("can")),
    ],
)
def test_questions_are_told_from_instructions(text: str, question: AskedQuestion) -> None:
    assert READER.read(text).question == question


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("pick up teh geren cylinder", "pick up the green cylinder"),
        ("put a purpel ball in the bwol", "put a purple ball in the bowl"),
        ("pick up the spoon", ""),
        ("pick up the cube, the bowl", ""),
    ],
)
def test_a_near_sentence_is_offered_and_never_taken(text: str, meant: str) -> None:
    found = READER.read(text)
    assert (found.steps, found.suggestion) == ((), meant)
    assert found.refusal.startswith("not understood: ")
    assert not meant or found.refusal.endswith(f"Did you mean: {meant!r}?")


@given(st.text(max_size=60) | st.lists(st.sampled_from(sorted(READER.grammars[0].words)), max_size=9).map(" ".join))
def test_any_text_has_exactly_one_answer(text: str) -> None:
    found = READER.read(text)
    assert sum(map(bool, (found.steps, found.question, found.refusal))) == 1


def test_a_very_long_text_is_answered() -> None:
    assert READER.read("grab the red cube and go home and " * 300).refusal


def test_no_language_is_refused() -> None:
    with pytest.raises(ParameterError, match="languages"):
        LanguageParameters([])
