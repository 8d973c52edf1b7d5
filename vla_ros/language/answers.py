"""Answers to questions, and what people are told with a refusal."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.language.parts import NotUnderstood
from vla_ros.language.questions import AskedQuestion
from vla_ros.language.steps import ObjectPhrase, Quantity
from vla_ros.language.view import SeenThing, described, is_called, objects_of
from vla_ros.tasks.vocabulary import CONTAINERS

EXAMPLES = 3
"""So many sentences are told with a refusal."""


def help_text(seen: Sequence[SeenThing] | None, examples: Sequence[str]) -> str:
    """Return what can be done instead.

    Args:
        seen: what is in view; None: nothing can be told of it.
        examples: sentences that are understood.
    """
    view = "" if seen is None else f"in view: {described(seen)}; "
    listed = ", ".join(repr(text) for text in _fitting(seen, examples))
    return f"{view}say for example {listed}, or ask 'what can you do?'"


def _fitting(seen: Sequence[SeenThing] | None, examples: Sequence[str]) -> list[str]:
    """Return sentences about objects that are there, where any is; else examples."""
    movable = [thing for thing in seen or () if thing.shape not in CONTAINERS]
    containers = [thing for thing in seen or () if thing.shape in CONTAINERS]
    if not movable:
        return list(examples[:EXAMPLES])
    found = [f"pick up {movable[0].phrase}", f"push {movable[-1].phrase} to the left"]
    if containers:
        word = "in" if containers[0].shape == "bowl" else "on"
        found.append(f"put {movable[0].phrase} {word} {containers[0].phrase}")
    return found


def answer(
    question: AskedQuestion, seen: Sequence[SeenThing] | None, held: str, task: str, examples: Sequence[str]
) -> str:
    """Return the answer to a question.

    Args:
        question: what was asked.
        seen: what is in view; None: nothing can be told of it.
        held: what is in the hand; empty: nothing.
        task: what the last instruction was understood as; empty: there was none.
        examples: sentences that are understood.
    """
    if question.kind == "can":
        listed = "; ".join(examples)
        return (
            f"I can: {listed}; put it next to, left of, right of, in front of, behind or between others; put down; "
            "move by cm; open or close the gripper; go home. `vla-ros words` lists all words"
        )
    if question.kind == "hold":
        return f"I hold {held}" if held else "I hold nothing"
    if question.kind == "doing":
        return f"the last instruction was: {task}" if task else "nothing: there was no instruction yet"
    if seen is None:
        return "I cannot tell: the camera shows nothing usable"
    if question.kind == "see" or question.object is None:
        return f"I see: {described(seen)}"
    return {"many": _many, "colour": _colours, "is": _is}.get(question.kind, _where)(question.object, seen)


def _found(phrase: ObjectPhrase, seen: Sequence[SeenThing]) -> Sequence[ObjectPhrase]:
    """Return the objects that a phrase means; none where it means none."""
    try:
        return objects_of(phrase, seen, seen)
    except NotUnderstood:
        return []


def _many(phrase: ObjectPhrase, seen: Sequence[SeenThing]) -> str:
    found = _found(phrase, seen)
    return f"{len(found)}{': ' if found else ''}{', '.join(map(str, found))}"


def _colours(phrase: ObjectPhrase, seen: Sequence[SeenThing]) -> str:
    fitting = [thing for thing in seen if thing.colour and is_called(thing, phrase)]
    if not fitting:
        return _where(phrase, seen)
    return "; ".join(f"the {thing.shape} is {thing.colour}" for thing in fitting)


def _is(phrase: ObjectPhrase, seen: Sequence[SeenThing]) -> str:
    """Return whether an object is where the question says, and where it is."""
    thing = ObjectPhrase(phrase.colour, phrase.shape)
    if not any(is_called(each, thing) for each in seen):
        return _where(thing, seen)
    return f"{'yes' if _found(phrase, seen) else 'no'}: {_where(thing, seen)}"


def _where(phrase: ObjectPhrase, seen: Sequence[SeenThing]) -> str:
    fitting = [thing for thing in seen if is_called(thing, phrase)]
    if not fitting:
        one = ObjectPhrase(phrase.colour, phrase.shape, Quantity.ANY)
        return f"I do not see {one}; in view: {described(seen)}"
    places = [f"{thing.phrase} is {_place(thing)}" for thing in fitting]
    return f"{len(places)}: {'; '.join(places)}" if len(places) > 1 else places[0]


def _place(thing: SeenThing) -> str:
    """Return a place in words, to the centimetre, as the robot looks."""
    x, y = thing.p_base
    side = "left" if y > 0 else "right"
    return f"{100 * x:.0f} cm in front of the arm's base and {100 * abs(y):.0f} cm to the {side}"
