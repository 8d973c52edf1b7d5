"""What a task is: its kind, its steps, and the instruction that asks for it."""

from __future__ import annotations

from dataclasses import dataclass

STEP_KINDS = ("pick", "place", "push", "stack")
KINDS = (*STEP_KINDS, "sequence")
"""Kinds of tasks. A sequence has two steps or more, of the other kinds."""


@dataclass(frozen=True)
class Step:
    """One thing to achieve.

    Attributes:
        kind: of `STEP_KINDS`.
        x: name of the object that is moved.
        y: where to: name of an object, or "left" or "right" of a push; empty for pick.
        radius_sum_m: of the circles around x and y; for a push to an object, else 0.
    """

    kind: str
    x: str
    y: str = ""
    radius_sum_m: float = 0.0


@dataclass(frozen=True)
class Task:
    """A task as it is given to a policy and to the judge.

    Attributes:
        kind: of `KINDS`.
        steps: in order; the judge looks for all of them at the end.
        instruction: the task in words.
    """

    kind: str
    steps: tuple[Step, ...]
    instruction: str


def check_kind(kind: str) -> None:
    """Refuse a kind that there is not; an empty one stands for any.

    Raises:
        ValueError: with the kinds that there are.
    """
    if kind and kind not in KINDS:
        raise ValueError(f"task: there is no kind {kind!r}; there are {', '.join(KINDS)}")
