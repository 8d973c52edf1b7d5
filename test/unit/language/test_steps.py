"""What people are told of typed steps."""

from __future__ import annotations

import pytest

from vla_ros.language.steps import InstructionStep, ObjectPhrase, Quantity, Relation, Selector, StepAction, told

RED_CUBE, BOWL, BALL = ObjectPhrase("red", "cube"), ObjectPhrase(shape="bowl"), ObjectPhrase(shape="ball")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (InstructionStep(StepAction.PICK, RED_CUBE), "pick up the red cube"),
        (
            InstructionStep(StepAction.PLACE, RED_CUBE, Relation.IN, (BOWL,)),
            "pick up the red cube; put it into the bowl",
        ),
        (
            InstructionStep(StepAction.PLACE, RED_CUBE, Relation.BETWEEN, (BOWL, BALL)),
            "pick up the red cube; put it between the bowl and the ball",
        ),
        (InstructionStep(StepAction.PUSH, RED_CUBE, direction="left"), "push the red cube to the left"),
        (
            InstructionStep(StepAction.PUSH, RED_CUBE, direction="forward", distance_m=0.05),
            "push the red cube by 5 cm forward",
        ),
        (InstructionStep(StepAction.PUSH, RED_CUBE, Relation.NEXT_TO, (BALL,)), "push the red cube to the ball"),
        (
            InstructionStep(StepAction.SHIFT, RED_CUBE, direction="right", distance_m=0.125),
            "pick up the red cube; put it down 12.5 cm to the right",
        ),
        (InstructionStep(StepAction.PUT_DOWN), "put down what is in the hand"),
        (InstructionStep(StepAction.HOME), "go home"),
        (InstructionStep(StepAction.OPEN), "open the gripper"),
        (InstructionStep(StepAction.REACH, direction="up", distance_m=0.1), "move the hand by 10 cm up"),
    ],
)
def test_a_step_is_told_in_the_fixed_grammar(step: InstructionStep, words: str) -> None:
    assert told([step]) == f"I will: {words}."


def test_steps_are_told_in_order() -> None:
    steps = [InstructionStep(StepAction.PICK, RED_CUBE), InstructionStep(StepAction.HOME)]
    assert told(steps) == "I will: pick up the red cube; go home."


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        (ObjectPhrase("red"), "the red object"),
        (ObjectPhrase(shape="cube", quantity=Quantity.ALL), "all cubes"),
        (ObjectPhrase(shape="cube", quantity=Quantity.OTHER), "the other cube"),
        (ObjectPhrase(shape="cube", selector=Selector.LEFT), "the cube on the left"),
        (ObjectPhrase(shape="cube", selector=Selector.BIGGEST), "the biggest cube"),
        (ObjectPhrase(shape="cube", relation=Relation.NEXT_TO, landmarks=(BOWL,)), "the cube next to the bowl"),
    ],
)
def test_an_object_is_called_by_all_that_was_said_of_it(phrase: ObjectPhrase, words: str) -> None:
    assert str(phrase) == words


def test_only_colour_and_shape_make_a_plain_phrase() -> None:
    assert RED_CUBE.is_plain
    assert not ObjectPhrase(shape="cube", selector=Selector.LEFT).is_plain
    assert not ObjectPhrase(shape="cube", quantity=Quantity.OTHER).is_plain
