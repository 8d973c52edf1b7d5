"""The question that the language model is asked, word for word."""

from __future__ import annotations

import pytest

from vla_ros.policies.openvla.prompt import completed, prompt


def test_the_question_is_the_one_of_training() -> None:
    assert (
        prompt("Put the RED cube in the bowl ", "llama2-7b-pure")
        == "In: What action should the robot take to put the red cube in the bowl?\nOut:"
    )


def test_vicuna_is_asked_in_its_own_form() -> None:
    asked = prompt("wave", "vicuna-v15-7b")
    assert asked.startswith("A chat between a curious user and an artificial intelligence assistant.")
    assert asked.endswith("USER: What action should the robot take to wave? ASSISTANT:")


@pytest.mark.parametrize("given", [[1, 512, 29901], [512, 29901], [1, 512, 29901, 29871], [512, 29901, 29871]])
def test_bos_and_the_blank_are_added_once(given: list[int]) -> None:
    assert completed(given, 1) == [1, 512, 29901, 29871]
