"""Questions are told from instructions, and name what they are about."""

from __future__ import annotations

import pytest

from vla_ros.language.grammar import Grammar
from vla_ros.language.parts import NotUnderstood
from vla_ros.language.questions import AskedQuestion, read_question
from vla_ros.language.steps import ObjectPhrase, Quantity, Relation

RED_CUBE, BOWL = ObjectPhrase("red", "cube"), ObjectPhrase(shape="bowl")


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("which objects do you recognise?", AskedQuestion("see")),
        ("tell me where the red cube is", AskedQuestion("where", RED_CUBE)),
        ("where has the red cube gone?".replace(" gone", ""), AskedQuestion("where", RED_CUBE)),
        ("how many cubes are there?", AskedQuestion("many", ObjectPhrase(shape="cube", quantity=Quantity.ALL))),
        ("what color has the cube?", AskedQuestion("colour", ObjectPhrase(shape="cube"))),
        (
            "is the red cube in the bowl?",
            AskedQuestion("is", ObjectPhrase("red", "cube", relation=Relation.IN, landmarks=(BOWL,))),
        ),
        ("help", AskedQuestion("can")),
    ],
)
def test_a_question_names_what_it_is_about(english: Grammar, text: str, question: AskedQuestion) -> None:
    assert read_question(english, text) == question


@pytest.mark.parametrize("text", ["grab the red cube", "help me lift the red cube", "is it possible to lift the cube"])
def test_an_instruction_is_no_question(english: Grammar, text: str) -> None:
    assert read_question(english, text) is None


@pytest.mark.parametrize(
    "text", ["is the red cube?", "where is it?", "where is the cube and the ball?", "what do you see now of it?"]
)
def test_a_question_that_leaves_something_over_is_refused(english: Grammar, text: str) -> None:
    with pytest.raises(NotUnderstood):
        read_question(english, text)
