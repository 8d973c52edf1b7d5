"""Which of the objects in view is meant."""

from __future__ import annotations

import pytest

from vla_ros.language.parts import NotUnderstood
from vla_ros.language.steps import InstructionStep, ObjectPhrase, Quantity, Relation, Selector, StepAction
from vla_ros.language.view import SeenThing, described, objects_of, resolved

RED = SeenThing("red", "cube", (0.50, 0.20), 0.044, 0.044)
GREEN = SeenThing("green", "cube", (0.45, 0.00), 0.044, 0.044)
BALL = SeenThing("blue", "ball", (0.60, -0.20), 0.044, 0.044)
BOWL = SeenThing("", "bowl", (0.50, -0.10), 0.15, 0.045)
SEEN = (RED, GREEN, BALL, BOWL)
CUBE = ObjectPhrase(shape="cube")


@pytest.mark.parametrize(
    ("phrase", "meant"),
    [
        (ObjectPhrase("red"), [ObjectPhrase("red")]),
        (ObjectPhrase("purple", "ball"), [ObjectPhrase("purple", "ball")]),
        (ObjectPhrase(shape="cube", selector=Selector.LEFT), [RED.phrase]),
        (ObjectPhrase(shape="cube", selector=Selector.RIGHT), [GREEN.phrase]),
        (ObjectPhrase(selector=Selector.MIDDLE), [GREEN.phrase]),
        (ObjectPhrase(selector=Selector.FARTHEST), [BALL.phrase]),
        (ObjectPhrase(selector=Selector.SMALLEST), [BALL.phrase]),
        (ObjectPhrase(shape="cube", quantity=Quantity.ANY), [GREEN.phrase]),
        (ObjectPhrase(shape="cube", quantity=Quantity.BOTH), [RED.phrase, GREEN.phrase]),
        (ObjectPhrase(quantity=Quantity.ALL), [RED.phrase, GREEN.phrase, BALL.phrase]),
        (ObjectPhrase(shape="cube", quantity=Quantity.OTHER, unlike=(RED.phrase,)), [GREEN.phrase]),
        (ObjectPhrase(relation=Relation.RIGHT_OF, landmarks=(BOWL.phrase,)), [BALL.phrase]),
        (ObjectPhrase(shape="cube", relation=Relation.NEXT_TO, landmarks=(BOWL.phrase,)), [GREEN.phrase]),
    ],
)
def test_the_picture_says_which_is_meant(phrase: ObjectPhrase, meant: list[ObjectPhrase]) -> None:
    assert objects_of(phrase, SEEN[:3], SEEN) == meant


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        (CUBE, "which one\\? It could be the red cube or the green cube"),
        (ObjectPhrase(shape="ball", quantity=Quantity.BOTH), "I see 1"),
        (ObjectPhrase(shape="cylinder", selector=Selector.LEFT), "I see none"),
        (ObjectPhrase(shape="cube", selector=Selector.BIGGEST), "look the same size"),
        (ObjectPhrase(shape="cube", selector=Selector.MIDDLE), "none of 2 is in the middle"),
        (
            ObjectPhrase(shape="cube", relation=Relation.IN, landmarks=(ObjectPhrase(shape="plate"),)),
            "do not see the plate",
        ),
        (ObjectPhrase(shape="cube", relation=Relation.IN, landmarks=(BOWL.phrase,)), "I see none"),
    ],
)
def test_what_is_not_clear_is_refused_by_name(phrase: ObjectPhrase, reason: str) -> None:
    with pytest.raises(NotUnderstood, match=reason):
        objects_of(phrase, SEEN[:3], SEEN)


def test_a_colour_alone_is_no_container() -> None:
    assert objects_of(ObjectPhrase("red"), SEEN, SEEN) == [ObjectPhrase("red")]
    assert objects_of(ObjectPhrase("teal", "bowl"), SEEN, SEEN) == [ObjectPhrase("teal", "bowl")]


def test_two_that_look_alike_are_refused() -> None:
    twin = SeenThing("red", "cube", (0.40, -0.30), 0.044, 0.044)
    with pytest.raises(NotUnderstood, match="there twice"):
        objects_of(ObjectPhrase(shape="cube", quantity=Quantity.ALL), (RED, twin), (RED, twin))


def test_several_objects_are_several_steps() -> None:
    everything = ObjectPhrase(quantity=Quantity.ALL)
    steps = resolved([InstructionStep(StepAction.PLACE, everything, Relation.IN, (BOWL.phrase,))], SEEN)
    assert [step.object for step in steps] == [RED.phrase, GREEN.phrase, BALL.phrase]
    assert all(step.targets == (BOWL.phrase,) for step in steps)


def test_what_is_in_view_is_told_from_left_to_right() -> None:
    assert described(SEEN) == "the red cube, the green cube, the bowl, the blue ball"
    assert described(()) == "nothing that I know"


def test_more_than_there_is_room_for_is_refused_by_name() -> None:
    colours = ("red", "orange", "yellow", "green")
    balls = [SeenThing(colour, "ball", (0.4, 0.1 * number), 0.044, 0.044) for number, colour in enumerate(colours)]
    bowl = SeenThing("", "bowl", (0.6, -0.2), 0.15, 0.045)
    every = ObjectPhrase(shape="ball", quantity=Quantity.ALL)
    step = InstructionStep(StepAction.PLACE, every, Relation.IN, (ObjectPhrase(shape="bowl"),))
    assert len(resolved([step], [*balls[:3], bowl])) == 3
    with pytest.raises(NotUnderstood, match="no room for 4 in or on the bowl: 3 at most"):
        resolved([step], [*balls, bowl])
    with pytest.raises(NotUnderstood, match="no room for 4 in or on the bowl, with the blue cube"):
        resolved([step], [*balls[:3], SeenThing("blue", "cube", bowl.p_base, 0.044, 0.044), bowl])
