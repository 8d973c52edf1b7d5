"""What an instruction asks for, as data: typed steps, and the fixed words in which people are told of them.

Directions are the robot's own: left is +y of the base frame, forward +x, up +z.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class StepAction(enum.Enum):
    """What one step does. The value is its verb in the told words."""

    PICK = "pick up"
    """`object` ends in the hand, lifted."""
    PLACE = "put"
    """`object` ends in, on, or beside `targets`, as `relation` says. ON a movable object is a stack."""
    PUSH = "push"
    """`object` is pushed towards `direction` by `distance_m`, or up to `targets[0]`; it never leaves the table."""
    SHIFT = "move"
    """`object` is carried by `distance_m` towards `direction`, and put down there."""
    PUT_DOWN = "put down"
    """What is in the hand ends on the table, where the hand is; `object` is None, or its name."""
    HOME = "go home"
    """The tool goes to where the arm hides nothing from the camera."""
    OPEN = "open the gripper"
    CLOSE = "close the gripper"
    REACH = "move the hand"
    """The tool moves by `distance_m` towards `direction`."""


class Relation(enum.Enum):
    """Where an object is with regard to others. The value is its word."""

    IN = "in"
    ON = "on"
    NEXT_TO = "next to"
    LEFT_OF = "left of"
    RIGHT_OF = "right of"
    IN_FRONT_OF = "in front of"
    BEHIND = "behind"
    BETWEEN = "between"
    UNDER = "under"


class Selector(enum.Enum):
    """Which of several objects is meant. The value is its words."""

    LEFT = "on the left"
    RIGHT = "on the right"
    MIDDLE = "in the middle"
    NEAREST = "nearest to the robot"
    FARTHEST = "farthest from the robot"
    BIGGEST = "biggest"
    SMALLEST = "smallest"


class Quantity(enum.Enum):
    """How many objects are meant. The value is the word before the noun."""

    THE = "the"
    ANY = "any"
    OTHER = "the other"
    BOTH = "both"
    ALL = "all"


@dataclass(frozen=True)
class ObjectPhrase:
    """What is said of an object.

    Attributes:
        colour: of `vocabulary.COLOURS`, or a colour that no object has; empty: nothing is said of it.
        shape: of `vocabulary.SHAPES`; empty: nothing is said of it.
        quantity: one, any, the other one, both, all.
        selector: which of several; None: not said.
        relation, landmarks: where it is, e.g. NEXT_TO the bowl; None and (): not said.
        unlike: what it is not: of OTHER what was meant before, else what was said by "not" and "except".
    """

    colour: str = ""
    shape: str = ""
    quantity: Quantity = Quantity.THE
    selector: Selector | None = None
    relation: Relation | None = None
    landmarks: tuple[ObjectPhrase, ...] = ()
    unlike: tuple[ObjectPhrase, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether colour and shape alone say which object is meant."""
        return self.quantity is Quantity.THE and self.selector is None and self.relation is None and not self.unlike

    @property
    def several(self) -> bool:
        """Whether more than one object is meant."""
        return self.quantity in (Quantity.BOTH, Quantity.ALL)

    def __str__(self) -> str:
        noun = f"{self.colour} {self.shape or 'object'}".strip()
        if self.several:
            noun += "s"
        before = self.selector.value if self.selector in (Selector.BIGGEST, Selector.SMALLEST) else ""
        words = [self.quantity.value, before, noun]
        if self.selector is not None and not before:
            words.append(self.selector.value)
        if self.relation is not None:
            words.append(related(self.relation, self.landmarks))
        if self.unlike and self.quantity is not Quantity.OTHER:
            words.append(f"but not {' and '.join(map(str, self.unlike))}")
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class InstructionStep:
    """One thing to do. Lengths in m.

    Attributes:
        action: what is done.
        object: what it is done to; None: nothing, or what is in the hand.
        relation, targets: where to; None and (): nowhere, or a `direction`.
        direction: "left", "right", "forward", "back", "up", "down", or empty.
        distance_m: how far; 0: the policy's usual way.
    """

    action: StepAction
    object: ObjectPhrase | None = None
    relation: Relation | None = None
    targets: tuple[ObjectPhrase, ...] = ()
    direction: str = ""
    distance_m: float = 0.0

    @property
    def lines(self) -> tuple[str, ...]:
        """What it does, in the words of the fixed grammar; a placement is told as picking up and putting."""
        action, thing = self.action, self.object
        it = "them" if thing and thing.several else "it"
        by = f" by {100 * self.distance_m:g} cm" if self.distance_m else ""
        if action is StepAction.PLACE and self.relation is not None:
            return f"pick up {thing}", f"put {it} {related(self.relation, self.targets, into=True)}"
        if action is StepAction.SHIFT:
            return f"pick up {thing}", f"put {it} down {100 * self.distance_m:g} cm {_way(self.direction)}"
        if action is StepAction.PUSH and self.targets:
            return (f"push {thing} to {self.targets[0]}",)
        if action in (StepAction.PUSH, StepAction.REACH):
            return (f"{action.value}{f' {thing}' if thing else ''}{by} {_way(self.direction)}",)
        if action is StepAction.PUT_DOWN:
            return (f"put down {thing or 'what is in the hand'}",)
        return (f"{action.value} {thing}" if action is StepAction.PICK else action.value,)

    def __str__(self) -> str:
        return ", ".join(self.lines)


def told(steps: Sequence[InstructionStep]) -> str:
    """Return the one sentence that people are told before the arm moves: "I will: pick up the red cube; …"."""
    return f"{TOLD} {'; '.join(line for step in steps for line in step.lines)}."


TOLD = "I will:"
"""How every such sentence begins."""


def related(relation: Relation, landmarks: Sequence[ObjectPhrase], into: bool = False) -> str:
    """Return a place in words. into: where something goes, not where it is."""
    word = {Relation.IN: "into", Relation.ON: "onto"}.get(relation, relation.value) if into else relation.value
    return f"{word} {' and '.join(map(str, landmarks))}"


def _way(direction: str) -> str:
    return f"to the {direction}" if direction in ("left", "right") else direction
