"""Sentences to steps, questions and refusals that help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.language.questions import AskedQuestion
from vla_ros.language.reader import InstructionReader, LanguageParameters
from vla_ros.language.steps import ObjectPhrase, told
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


LANGUAGES = InstructionReader.of(LanguageParameters())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("leg den roten Würfel in die Schüssel", "pick up the red cube; put it into the bowl"),
        ("bitte die blaue Kugel hinter den Teller legen", "pick up the blue ball; put it behind the plate"),
        ("schieb den linken Zylinder 5 cm nach rechts", "push the cylinder on the left by 5 cm to the right"),
        ("nimm die Kugel und leg sie auf den Teller", "pick up the ball; put it onto the plate"),
        ("öffne den Greifer, dann fahr nach Hause", "open the gripper; go home"),
        ("pon el cubo rojo en el cuenco", "pick up the red cube; put it into the bowl"),
        ("coge la bola azul y ponla junto al plato", "pick up the blue ball; put it next to the plate"),
        ("empuja el cilindro verde a la izquierda", "push the green cylinder to the left"),
        ("cierra la pinza y ve a casa", "close the gripper; go home"),
    ],
)
def test_the_grammar_is_not_tied_to_a_language(text: str, words: str) -> None:
    assert told(LANGUAGES.read(text).steps) == f"I will: {words}."


@pytest.mark.parametrize(
    ("text", "kind"), [("Wo ist der rote Würfel?", "where"), ("¿Qué ves?", "see"), ("¿dónde está la bola?", "where")]
)
def test_questions_of_every_language(text: str, kind: str) -> None:
    question = LANGUAGES.read(text).question
    assert question is not None and question.kind == kind


@pytest.mark.parametrize(("text", "word"), [("nimm den Löffel", "loffel"), ("coge la cuchara", "cuchara")])
def test_a_refusal_is_of_the_nearest_language(text: str, word: str) -> None:
    assert f"the word {word!r}" in LANGUAGES.read(text).refusal


def test_no_language_is_refused() -> None:
    with pytest.raises(ParameterError, match="languages"):
        LanguageParameters([])
