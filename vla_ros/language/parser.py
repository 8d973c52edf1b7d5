"""A sentence to typed steps: clauses against the frames of the grammar, pronouns to what they mean, and what cannot be.

A sentence is accepted only where every part of every clause is used by a frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from vla_ros.language.clause_reader import ClauseReader, Context
from vla_ros.language.clauses import read_clauses
from vla_ros.language.grammar import Grammar
from vla_ros.language.part_reader import read_parts
from vla_ros.language.parts import NotUnderstood, read_items
from vla_ros.language.steps import InstructionStep, ObjectPhrase, StepAction

MOST_STEPS = 12
"""Of one sentence."""
CARRYING = (StepAction.PLACE, StepAction.SHIFT, StepAction.PICK)
"""What begins with picking up."""


def parse_steps(grammar: Grammar, text: str, about: Sequence[ObjectPhrase] = ()) -> tuple[InstructionStep, ...]:
    """Return the steps that `text` asks for, in order.

    Args:
        grammar: of its language.
        text: the instruction.
        about: what the instruction before was about: "it".

    Raises:
        NotUnderstood: with the words that are not known, not used, or make no sense together.
    """
    steps: list[InstructionStep] = []
    earlier: list[InstructionStep] = []  # behind "but first"
    context, first = Context(tuple(about)), False
    for clause in read_clauses(read_parts(read_items(grammar, text))):
        found, first = ClauseReader(grammar.frames, clause, context).steps(), first or clause.first
        if first:
            earlier = _joined(earlier, found)
        else:
            steps = _joined(steps, found)
    steps = [*earlier, *steps]
    _check_hand(steps)
    if not steps:
        raise NotUnderstood("no words to act on")
    if len(steps) > MOST_STEPS:
        raise NotUnderstood(f"{len(steps)} steps; at most {MOST_STEPS} at once")
    return tuple(steps)


def _joined(steps: list[InstructionStep], found: list[InstructionStep]) -> list[InstructionStep]:
    """Return steps with those that follow; what is only the beginning of the next, or is said twice, counts once."""
    before = list(steps)
    carried = {step.object for step in found if step.action in CARRYING}
    while before and found and before[-1].object is not None:
        last, then = before[-1], found[0]
        lifts = last.action is StepAction.PICK and last.object in carried
        same = last.action is then.action is StepAction.PLACE and last.targets == then.targets
        if not (lifts or (last.object == then.object and (same or last == then))):
            break
        before.pop()
    return [*before, *found]


def _check_hand(steps: Sequence[InstructionStep]) -> None:
    """Refuse to hold two objects at once."""
    for step, then in itertools.zip_longest(steps, steps[1:]):
        if step.action is not StepAction.PICK:
            continue
        several = step.object is not None and step.object.several
        if several or (then is not None and then.action is StepAction.PICK):
            things = f"{step.object}" if several or then is None else f"{step.object} and {then.object}"
            raise NotUnderstood(f"{things} at once: the hand holds one object; say where to put each")
