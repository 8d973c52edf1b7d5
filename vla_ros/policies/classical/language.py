"""Instructions to steps: a small grammar for the five kinds of tasks, with many words for each object.

What is not understood is refused with the words that were not, never guessed.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace

from vla_ros.tasks.vocabulary import COLOUR_OF_ADJECTIVE, CONTAINERS, GENERIC_NOUNS, SHAPE_OF_NOUN

SHAPELESS_NOUNS = (*GENERIC_NOUNS, "item", "toy", "piece")
DETERMINERS = ("the", "a", "an", "that", "this", "your", "my")
ADJECTIVES = ("coloured", "colored", "small", "little")  # true of everything on the table: they tell nothing apart
PRONOUNS = ("it", "that", "this", "that one", "this one")

POLITENESS = re.compile(
    r"\b(please|kindly|now|robot|just|carefully|gently|slowly|first|firstly|"
    r"(could|can|would|will) you|i want you to|i would like you to|i'd like you to|you should|go ahead and|try to)\b"
)
PICK = r"pick up|pick|grab hold of|grab|grasp|lift up|lift|take hold of|take|get|fetch|raise|seize|hold"
PLACE = (
    r"put down|put|place|drop|set down|set|lay|deposit|transfer|move|bring|carry|take|get|throw|pick up|pick|grab|lift"
)
STACK = r"stack|pile|balance|put down|put|place|set down|set|lay|build|move"
PUSH = r"push|slide|shove|nudge|move|drag|sweep|shift|scoot"
ON = r"on top of|on to|onto|atop|upon|over|on"
IN = r"inside of|inside|in to|into|within|in"
BESIDE = r"over to|up to|next to|close to|towards|toward|against|beside|near|to"
THEN = re.compile(
    rf"[;.!\n]+|,?\s*\b(?:and\s+)?(?:then|after that|afterwards|after which|finally|next(?!\s+to\b))\b,?"
    rf"|(?:,\s*and|,|\band)\s+(?=(?:{PICK}|{PLACE}|{STACK}|{PUSH})\b)"
)
SIDE = re.compile(
    rf"^(?P<verb>{PUSH})\s+(?P<object>.+?)\s+(?:(?:over\s+)?(?:to|towards?)\s+)?(?:the\s+|your\s+|its\s+)?"
    r"(?P<side>left|right)(?:wards?)?(?:\s+(?:hand\s+)?side)?(?:\s+(?:of|on|across)\s+the\s+table)?$"
)
TO = re.compile(
    rf"^(?P<verb>{PLACE}|{STACK}|{PUSH})\s+(?P<object>.+?)\s+(?:down\s+)?(?P<how>{ON}|{IN}|{BESIDE})\s+(?P<target>.+)$"
)
UP = re.compile(rf"^(?P<verb>{PICK})\s+(?P<object>.+?)(?:\s+up)?(?:\s+(?:from|off)\s+(?:of\s+)?the\s+table)?$")


class NotUnderstood(ValueError):
    """The words ask for nothing that can be done; the text says which words, and why."""


class Verb(enum.Enum):
    """What can be asked for."""

    PICK = "pick up"
    PLACE = "put"
    PUSH = "push"
    STACK = "stack"


@dataclass(frozen=True)
class ObjectDescription:
    """What a noun phrase says of an object.

    Attributes:
        colour: of `vocabulary.COLOURS`, or empty where it says nothing of it.
        shape: of `vocabulary.SHAPES`, or empty where it says nothing of it.
    """

    colour: str = ""
    shape: str = ""

    def __str__(self) -> str:
        return " ".join(word for word in ("the", self.colour, self.shape or "object") if word)


@dataclass(frozen=True)
class RequestedStep:
    """One step of an instruction.

    Attributes:
        verb: what is asked for.
        object: what is moved.
        target: what to put on, stack on or push to.
        side: "left" or "right", as the robot sees it.
    """

    verb: Verb
    object: ObjectDescription
    target: ObjectDescription | None = None
    side: str = ""

    def __str__(self) -> str:
        if self.side:
            return f"push {self.object} to the {self.side}"
        if self.target is None:
            return f"pick up {self.object}"
        relation = "to" if self.verb is Verb.PUSH else "in" if self.target.shape == "bowl" else "on"
        return f"{self.verb.value} {self.object} {relation} {self.target}"


def parse(text: str) -> tuple[RequestedStep, ...]:
    """Return the steps that `text` asks for, in order.

    Raises:
        NotUnderstood: with the words that are not known or make no sense together.
    """
    plain = " ".join(POLITENESS.sub(" ", text.lower().replace("’", "'")).split())
    for word in ("before", "without", "not", "don't", "unless", "if", "until", "while"):
        if re.search(rf"\b{word}\b", plain):
            raise NotUnderstood(f"{word!r} is beyond this policy; say the steps in order, joined by 'then'")
    clauses = [clause for part in THEN.split(plain) if (clause := part.strip(" ,.?!"))]
    steps: list[RequestedStep] = []
    for clause in clauses:
        step = _step(clause, steps[-1].object if steps else None)
        if steps and steps[-1].verb is Verb.PICK and step.object == steps[-1].object and step.verb is not Verb.PUSH:
            steps.pop()  # picking it up is part of what follows
        steps.append(step)
    if not steps:
        raise NotUnderstood("no words to act on")
    return tuple(steps)


def _step(clause: str, last: ObjectDescription | None) -> RequestedStep:
    if match := SIDE.match(clause):
        item = _movable(_description(match["object"], last))
        return RequestedStep(Verb.PUSH, item, side=match["side"])
    if match := TO.match(clause):
        item = _movable(_description(match["object"], last))
        target = _description(match["target"], None)
        if target == item:
            raise NotUnderstood(f"{match['how']} {target}: that is the thing itself")
        return _relate(match["verb"], match["how"], item, target)
    if match := UP.match(clause):
        return RequestedStep(Verb.PICK, _movable(_description(match["object"], last)))
    verb = clause.split(maxsplit=1)[0]
    known = re.match(rf"(?:{PLACE}|{STACK}|{PUSH})\b", clause)
    if known:
        raise NotUnderstood(f"{clause!r}: where to? Say '{known[0]} X in/on Y', or to the left or right")
    raise NotUnderstood(f"{clause!r}: {verb!r} is none of pick up, put, push, stack")


def _relate(verb: str, how: str, item: ObjectDescription, target: ObjectDescription) -> RequestedStep:
    pushes = re.fullmatch(PUSH, verb) is not None
    if pushes and re.fullmatch(BESIDE, how) and not (verb == "move" and target.shape in CONTAINERS):
        return RequestedStep(Verb.PUSH, item, target)
    if pushes and verb != "move":
        raise NotUnderstood(f"{verb} {how} {target}: things are pushed to the left, to the right or to something")
    if target.shape in CONTAINERS:
        if re.fullmatch(PLACE, verb) is None and verb != "stack":
            raise NotUnderstood(f"{verb} {how} {target}: say 'put'")
        return RequestedStep(Verb.PLACE, item, target)
    if re.fullmatch(STACK, verb) is None and re.fullmatch(PLACE, verb) is None:
        raise NotUnderstood(f"{verb} {how} {target}: say 'stack'")
    if re.fullmatch(ON, how) is None:
        raise NotUnderstood(f"{how} {target}: only a bowl or a plate takes things; say 'on' to stack")
    if target.shape == "ball":
        raise NotUnderstood(f"on {target}: nothing stays on a ball")
    return RequestedStep(Verb.STACK, item, target)


def _movable(item: ObjectDescription) -> ObjectDescription:
    if item.shape in CONTAINERS:
        raise NotUnderstood(f"{item}: it stays where it is; only cubes, cylinders and balls are moved")
    return item


def _description(phrase: str, last: ObjectDescription | None) -> ObjectDescription:
    if phrase in PRONOUNS:
        if last is None:
            raise NotUnderstood(f"{phrase!r}: name the thing")
        return last
    found = ObjectDescription()
    words = phrase.split()
    while words and words[0] in DETERMINERS:
        words.pop(0)
    for word in words:
        singular = word.removesuffix("s") if word.removesuffix("s") in SHAPE_OF_NOUN else word
        if word in COLOUR_OF_ADJECTIVE and not found.colour:
            found = replace(found, colour=COLOUR_OF_ADJECTIVE[word])
        elif singular in SHAPE_OF_NOUN and not found.shape:
            found = replace(found, shape=SHAPE_OF_NOUN[singular])
        elif word not in ADJECTIVES and word not in SHAPELESS_NOUNS:
            raise NotUnderstood(f"{phrase!r}: the word {word!r} is not known")
    if found == ObjectDescription():
        raise NotUnderstood(f"{phrase!r}: name its colour or shape")
    return found
