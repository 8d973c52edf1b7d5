"""At the end of several errands each is looked at; those that are not so any more are named."""

from __future__ import annotations

import pytest

from vla_ros.language.steps import InstructionStep, ObjectPhrase, Relation, StepAction
from vla_ros.language.view import SeenThing
from vla_ros.policies.errand_check import check_errands, undone, unseen

RED, BLUE = ObjectPhrase("red", "cube"), ObjectPhrase("blue", "ball")
BOWL = SeenThing("", "bowl", (0.5, -0.2), 0.15, 0.045)
PLATE = SeenThing("", "plate", (0.6, 0.25), 0.16, 0.01)


def red_at(x: float, y: float) -> SeenThing:
    return SeenThing("red", "cube", (x, y), 0.044, 0.044)


def place(relation: Relation, *targets: str) -> InstructionStep:
    return InstructionStep(StepAction.PLACE, RED, relation, tuple(ObjectPhrase(shape=name) for name in targets))


@pytest.mark.parametrize(
    ("step", "good", "bad"),
    [
        (place(Relation.IN, "bowl"), (0.52, -0.21), (0.5, 0.0)),
        (place(Relation.ON, "plate"), (0.64, 0.22), (0.6, 0.1)),
        (place(Relation.NEXT_TO, "bowl"), (0.5, -0.08), (0.5, 0.15)),
        (place(Relation.LEFT_OF, "bowl"), (0.5, -0.08), (0.5, -0.32)),
        (place(Relation.IN_FRONT_OF, "bowl"), (0.38, -0.2), (0.62, -0.2)),
        (place(Relation.BETWEEN, "bowl", "plate"), (0.55, 0.02), (0.35, 0.3)),
        (InstructionStep(StepAction.PUSH, RED, direction="left"), (0.5, 0.1), (0.5, 0.01)),
        (InstructionStep(StepAction.SHIFT, RED, direction="right", distance_m=0.1), (0.5, -0.1), (0.5, -0.2)),
    ],
)
def test_a_step_is_undone_only_where_its_object_is_seen_elsewhere(
    step: InstructionStep, good: tuple[float, float], bad: tuple[float, float]
) -> None:
    before = (red_at(0.5, 0.0), BOWL, PLATE)
    assert check_errands([step], 1, before, (red_at(*good), BOWL, PLATE)) == []
    assert undone(check_errands([step], 1, before, (red_at(*bad), BOWL, PLATE))).startswith("the red cube is ")


def test_what_does_not_show_is_named_and_not_undone() -> None:
    step = place(Relation.IN, "bowl")
    for seen, named in (((BOWL,), "the red cube is not in view"), ((red_at(0.5, 0.0),), "the bowl is not in view")):
        checks = check_errands([step], 1, (), seen)
        assert (undone(checks), unseen(checks)) == ("", named)


def test_an_object_in_a_bowl_is_known_by_its_colour() -> None:
    looks_round = SeenThing("red", "cylinder", (0.5, -0.2), 0.044, 0.044)
    assert check_errands([place(Relation.IN, "bowl")], 1, (), (looks_round, BOWL)) == []


def test_only_the_last_step_of_an_object_and_only_earlier_errands_count() -> None:
    steps = [place(Relation.IN, "bowl"), place(Relation.ON, "plate")]
    assert check_errands(steps, 1, (), (red_at(0.6, 0.25), BOWL, PLATE)) == []
    other = [place(Relation.IN, "bowl"), InstructionStep(StepAction.PICK, BLUE)]
    assert undone(check_errands(other, 1, (), (red_at(0.6, 0.25), BOWL))).startswith("the red cube is not in the bowl")
