"""Sentences to steps. The sentences are of this file alone: none is taken from training or evaluation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.language.grammar import Grammar, load_grammar
from vla_ros.language.parser import parse_steps
from vla_ros.language.parts import NotUnderstood
from vla_ros.language.steps import InstructionStep, ObjectPhrase, Relation, StepAction, told
from vla_ros.tasks.vocabulary import COLOURS, MOVABLE_SHAPES

PARTS_TOLD = {
    "grip the green cylinder and hold it in the air": "pick up the green cylinder",
    "the red cube must be farther to the right, slide it there": "push the red cube to the right",
    "put the ball and the red cube in the dish": (
        "pick up the ball; put it into the bowl; pick up the red cube; put it into the bowl"
    ),
    "shift my azure block 7 cm to your left": "push the blue cube by 7 cm to the left",
    "set it down": "put down what is in the hand",
    "place the tin behind the saucer": "pick up the cylinder; put it behind the plate",
    "put the orb between the bowl and the plate": "pick up the ball; put it between the bowl and the plate",
    "take the red cube out of the bowl": "pick up the red cube in the bowl",
    "put the cube on the left in the bowl": "pick up the cube on the left; put it into the bowl",
    "push the left cube to the right": "push the cube on the left to the right",
    "stack the red brick on the green one, then release it": (
        "pick up the red cube; put it onto the green object; put down the red cube"
    ),
    "shut the gripper and go home": "close the gripper; go home",
    "lower your hand 4 cm": "move the hand by 4 cm down",
    "grab the ball, put it in the bowl, then grab the other one": (
        "pick up the ball; put it into the bowl; pick up the other ball"
    ),
    "grab the ball and the red cube and set them in the bowl": (
        "pick up the ball; put it into the bowl; pick up the red cube; put it into the bowl"
    ),
    "set the left can on the right one": "pick up the cylinder on the left; put it onto the object on the right",
    "go home, but first drop the ball in the bowl": "pick up the ball; put it into the bowl; go home",
    "place the yellow can 5 cm to the right": "pick up the yellow cylinder; put it down 5 cm to the right",
}
REFUSED = {
    "lift a magenta cube": "no pink cube",
    "put the green bowl on the plate": "stays where it is",
    "slide the red ball under the plate": "under the plate",
    "put the cube in the cylinder": "only a bowl",
    "put the cube on the ball": "nothing stays on a ball",
    "move the red cube 8 cm": "in which direction",
    "move the red cube 3 m to the left": "300 cm",
    "lift the red cube 8 cm": "'8 cm'",
    "put the red cube on the left": "'to the left'",
    "put the red cube": "where to",
    "grab it": "'it' means nothing yet",
    "the red cube in the bowl": "what is to be done",
    "grab the red cube the bowl": "left over",
    "put the ball into the bowl, next to the cube": "left over",
    "grab push the red cube": "at once",
    "place the red cube next to the red cube": "the object itself",
    "put the cube in the yellow bowl": "the bowl is teal",
    "grab the ball and the red cube": "holds one object",
    "grab both cubes": "holds one object",
    "put the red cube left of the bowl and right of the plate": "one place",
    "grab the first cube": "'the first': which object?",
    "put the ball over the bowl": "'over'",
    "": "no words",
}


@pytest.mark.parametrize(("text", "words"), PARTS_TOLD.items())
def test_what_is_said_is_what_is_told(english: Grammar, text: str, words: str) -> None:
    assert told(parse_steps(english, text)) == f"I will: {words}."


@pytest.mark.parametrize(("text", "named"), REFUSED.items())
def test_what_cannot_be_is_refused_by_name(english: Grammar, text: str, named: str) -> None:
    with pytest.raises(NotUnderstood, match=named):
        parse_steps(english, text)


def test_it_means_what_was_said_before(english: Grammar) -> None:
    [step] = parse_steps(english, "put it in the bowl", [ObjectPhrase("red", "cube")])
    assert step.object == ObjectPhrase("red", "cube")


THINGS = st.builds(ObjectPhrase, st.sampled_from(COLOURS), st.sampled_from(MOVABLE_SHAPES))
STEPS = st.one_of(
    st.builds(InstructionStep, st.sampled_from([StepAction.PICK, StepAction.PUT_DOWN]), THINGS),
    st.builds(
        InstructionStep,
        st.just(StepAction.PLACE),
        THINGS,
        st.sampled_from([Relation.NEXT_TO, Relation.BEHIND, Relation.LEFT_OF, Relation.RIGHT_OF, Relation.IN_FRONT_OF]),
        st.just((ObjectPhrase(shape="bowl"),)),
    ),
    st.builds(
        InstructionStep, st.just(StepAction.PLACE), THINGS, st.just(Relation.IN), st.just((ObjectPhrase(shape="bowl"),))
    ),
    st.builds(
        InstructionStep,
        st.sampled_from([StepAction.PUSH, StepAction.SHIFT]),
        THINGS,
        direction=st.sampled_from(["left", "right", "forward", "back"]),
        distance_m=st.integers(1, 30).map(lambda cm: cm / 100),
    ),
    st.sampled_from([InstructionStep(action) for action in (StepAction.HOME, StepAction.OPEN, StepAction.CLOSE)]),
)


@given(STEPS)
def test_what_is_told_reads_as_the_same_step(step: InstructionStep) -> None:
    words = told([step]).removeprefix("I will:")
    assert parse_steps(load_grammar("en"), words) == (step,)
