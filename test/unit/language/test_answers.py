"""Answers to questions."""

from __future__ import annotations

import pytest

from vla_ros.language.answers import answer, help_text
from vla_ros.language.questions import AskedQuestion
from vla_ros.language.steps import ObjectPhrase
from vla_ros.language.view import SeenThing

SEEN = (
    SeenThing("red", "cube", (0.50, 0.20), 0.044, 0.044),
    SeenThing("green", "cube", (0.45, -0.03), 0.044, 0.044),
    SeenThing("", "bowl", (0.5, -0.1), 0.15, 0.045),
)
RED_CUBE = ObjectPhrase("red", "cube")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (AskedQuestion("see"), "I see: the red cube, the green cube, the bowl"),
        (AskedQuestion("where", RED_CUBE), "the red cube is 50 cm in front of the arm's base and 20 cm to the left"),
        (AskedQuestion("where", ObjectPhrase("blue", "ball")), "I do not see any blue ball; in view: the red cube"),
        (AskedQuestion("where", ObjectPhrase(shape="cube")), "2: the red cube is"),
        (AskedQuestion("hold"), "I hold nothing"),
        (AskedQuestion("doing"), "nothing"),
        (AskedQuestion("can"), "I can: dance; put it next to"),
    ],
)
def test_a_question_is_answered(question: AskedQuestion, said: str) -> None:
    assert answer(question, SEEN, "", "", ["dance"]).startswith(said)


def test_without_an_image_nothing_is_claimed() -> None:
    assert answer(AskedQuestion("see"), None, "", "", []).startswith("I cannot tell")


def test_help_is_about_what_is_there() -> None:
    words = help_text(SEEN, ["dance"])
    assert words.startswith("in view: the red cube") and "'put the red cube in the bowl'" in words
    assert "'dance'" in help_text(None, ["dance"])
