"""One clause to steps."""

from __future__ import annotations

import pytest

from vla_ros.language.clause_reader import ClauseReader, Context, described_objects
from vla_ros.language.clauses import Clause
from vla_ros.language.grammar import Grammar
from vla_ros.language.part_reader import read_parts
from vla_ros.language.parts import NotUnderstood, read_items
from vla_ros.language.steps import InstructionStep, ObjectPhrase, Relation, Selector, StepAction

BOWL, BALL = ObjectPhrase(shape="bowl"), ObjectPhrase(shape="ball")


def steps_of(grammar: Grammar, text: str, context: Context) -> list[InstructionStep]:
    clause = Clause(tuple(read_parts(read_items(grammar, text))))
    return ClauseReader(grammar.frames, clause, context).steps()


def test_a_clause_remembers_what_it_was_about(english: Grammar) -> None:
    context = Context()
    [step] = steps_of(english, "put the ball in the bowl", context)
    assert step == InstructionStep(StepAction.PLACE, BALL, Relation.IN, (BOWL,))
    assert (context.objects, context.relation, context.targets) == ((BALL,), Relation.IN, (BOWL,))


def test_what_is_not_said_again_is_what_the_clause_before_was_about(english: Grammar) -> None:
    [step] = steps_of(english, "place in the bowl", Context((BALL,), begun=True))
    assert step.object == BALL
    with pytest.raises(NotUnderstood):
        steps_of(english, "place in the bowl", Context((BALL,)))


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        (
            "lift the ball that is next to the bowl",
            ObjectPhrase("", "ball", relation=Relation.NEXT_TO, landmarks=(BOWL,)),
        ),
        ("lift the ball that is on the left", ObjectPhrase("", "ball", selector=Selector.LEFT)),
        (
            "push the ball lying in the bowl to the left",
            ObjectPhrase("", "ball", relation=Relation.IN, landmarks=(BOWL,)),
        ),
    ],
)
def test_a_relative_clause_says_which_object(english: Grammar, text: str, thing: ObjectPhrase) -> None:
    assert steps_of(english, text, Context())[0].object == thing


def test_a_relative_clause_is_never_a_goal(english: Grammar) -> None:
    with pytest.raises(NotUnderstood, match="where to"):
        steps_of(english, "put the ball that is next to the bowl", Context())


def test_the_places_of_a_question_describe_its_object(english: Grammar) -> None:
    [thing], rest = described_objects(read_parts(read_items(english, "the ball in the bowl")), Context())
    assert (thing.relation, thing.landmarks, rest) == (Relation.IN, (BOWL,), [])
