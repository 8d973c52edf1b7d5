"""People are told in the language in which it was said, in words that read as the same step."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test.unit.language.test_parser import STEPS
from vla_ros.language.grammar import load_grammar
from vla_ros.language.parser import parse_steps
from vla_ros.language.steps import InstructionStep, ObjectPhrase, Quantity, Relation, Selector, StepAction
from vla_ros.language.telling import is_told, told

RED_CUBE, BLUE_BALL = ObjectPhrase("red", "cube"), ObjectPhrase("blue", "ball")
BOWL, PLATE = ObjectPhrase(shape="bowl"), ObjectPhrase(shape="plate")
INTO_BOWL = InstructionStep(StepAction.PLACE, RED_CUBE, Relation.IN, (BOWL,))


@pytest.mark.parametrize(
    ("step", "german", "spanish"),
    [
        (
            INTO_BOWL,
            "den roten Würfel aufheben; ihn in die Schüssel legen",
            "coger el cubo rojo; ponerlo en el cuenco",
        ),
        (
            InstructionStep(StepAction.PLACE, BLUE_BALL, Relation.BETWEEN, (BOWL, PLATE)),
            "die blaue Kugel aufheben; sie zwischen die Schüssel und den Teller legen",
            "coger la bola azul; ponerla entre el cuenco y el plato",
        ),
        (
            InstructionStep(StepAction.PLACE, BLUE_BALL, Relation.NEXT_TO, (PLATE,)),
            "die blaue Kugel aufheben; sie neben den Teller legen",
            "coger la bola azul; ponerla junto al plato",
        ),
        (
            InstructionStep(StepAction.PUSH, RED_CUBE, direction="left", distance_m=0.05),
            "den roten Würfel 5 cm nach links schieben",
            "empujar el cubo rojo 5 cm hacia la izquierda",
        ),
        (
            InstructionStep(StepAction.PICK, ObjectPhrase("", "ball", selector=Selector.LEFT)),
            "die linke Kugel aufheben",
            "coger la bola de la izquierda",
        ),
        (
            InstructionStep(StepAction.PICK, ObjectPhrase("red", "cube", Quantity.ALL)),
            "alle roten Würfel aufheben",
            "coger todos los cubos rojos",
        ),
        (
            InstructionStep(StepAction.PICK, ObjectPhrase("", "cube", relation=Relation.IN, landmarks=(BOWL,))),
            "den Würfel in der Schüssel aufheben",
            "coger el cubo en el cuenco",
        ),
        (InstructionStep(StepAction.HOME), "nach Hause fahren", "ir a casa"),
    ],
)
def test_a_step_is_told_in_each_language(step: InstructionStep, german: str, spanish: str) -> None:
    assert told([step], "german") == f"Ich werde: {german}."
    assert told([step], "spanish") == f"Voy a: {spanish}."


@settings(max_examples=40)
@given(STEPS, st.sampled_from([("de", "german"), ("es", "spanish")]))
def test_what_is_told_reads_as_the_same_step(step: InstructionStep, language: tuple[str, str]) -> None:
    file, name = language
    words = told([step], name).partition(":")[2]
    assert parse_steps(load_grammar(file), words) == (step,)


def test_a_language_without_a_table_is_told_in_english() -> None:
    assert told([INTO_BOWL], "latin") == told([INTO_BOWL]) == "I will: pick up the red cube; put it into the bowl."


def test_what_is_told_is_known_as_such_in_every_language() -> None:
    assert all(is_told(told([INTO_BOWL], language)) for language in ("english", "german", "spanish"))
    assert not is_told("done") and not is_told("")
