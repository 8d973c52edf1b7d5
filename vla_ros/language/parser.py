"""A sentence to typed steps: clauses against the frames of the grammar, pronouns to what they mean, and what cannot be.

A sentence is accepted only where every part of every clause is used by a frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vla_ros.language.clauses import Clause, is_pronoun, read_clauses
from vla_ros.language.grammar import ClauseFrame, Grammar
from vla_ros.language.parts import SELECTORS, ClausePart, Mention, NotUnderstood, read_items, read_parts
from vla_ros.language.steps import InstructionStep, ObjectPhrase, Quantity, Relation, StepAction, related
from vla_ros.tasks.vocabulary import COLOURS, CONTAINERS

MOST_STEPS = 12
"""Of one sentence."""
COLOURS_OF_CONTAINERS = {"bowl": ("teal", "blue", "green"), "plate": ("pink", "purple", "red")}
"""Shape → colours that people call it by; there is one of each, so that its colour tells nothing."""
SHORTEST_M, LONGEST_M = 0.01, 0.30
"""A distance that an object or the hand is moved by."""
CARRYING = (StepAction.PLACE, StepAction.SHIFT, StepAction.PICK)
"""What begins with picking up."""
EXAMPLES_OF = {
    "put": "put the red cube in the bowl",
    "move": "move the red cube 5 cm to the left",
    "push": "push the red cube to the left",
    "stack": "stack the red cube on the green cube",
    "take": "pick up the red cube",
    "pick": "pick up the red cube",
    "lift": "pick up the red cube",
    "open": "open the gripper",
    "close": "close the gripper",
    "go": "go home",
    "belong": "put the red cube in the bowl",
}
SHAPE_HINTS = {"place at": Relation.NEXT_TO, "push to": Relation.NEXT_TO, "stack": Relation.ON}


@dataclass
class _Context:
    """What was said so far. objects: that the last step was about. targets: where it put them."""

    objects: tuple[ObjectPhrase, ...] = ()
    relation: Relation | None = None
    targets: tuple[ObjectPhrase, ...] = ()
    direction: str = ""


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
    context, first = _Context(tuple(about)), False
    for clause in read_clauses(read_parts(read_items(grammar, text))):
        found, first = _ClauseReader(grammar.frames, clause, context).steps(), first or clause.first
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
        several = step.object is not None and step.object.quantity in (Quantity.ALL, Quantity.BOTH)
        if several or (then is not None and then.action is StepAction.PICK):
            things = f"{step.object}" if several or then is None else f"{step.object} and {then.object}"
            raise NotUnderstood(f"{things} at once: the hand holds one object; say where to put each")


class _ClauseReader:
    """Reads one clause. context: is changed to what this clause is about."""

    def __init__(self, frames: Sequence[ClauseFrame], clause: Clause, context: _Context) -> None:
        self._frames, self._context = frames, context
        self._verb = _verb(clause)
        self._parts = [part for part in clause.parts if part.kind not in ("verb", "light")]

    def steps(self) -> list[InstructionStep]:
        """Return its steps: one for each object."""
        objects = [part for part in self._parts if part.kind == "object"]
        if len(objects) > 1:
            raise NotUnderstood(f"{objects[1].words!r} is left over: where does it belong? Say 'and', 'in', 'on' …")
        self._attach_places(objects[0] if objects else None)
        self._attach_sides()
        frame = self._frame()
        things = self._objects(frame.does)
        if not things and "object" in frame.has and frame.does != "put down":
            raise NotUnderstood(f"{self._verb.words!r}: what? Say for example '{EXAMPLES_OF['pick']}'")
        made = [self._step(frame, thing) for thing in things or (None,)]
        if made[0].relation is not None:
            self._context.relation, self._context.targets = made[0].relation, made[0].targets
        self._context.direction = made[0].direction
        return made

    # Parts that say which object, not where to.

    def _attach_places(self, thing: ClausePart | None) -> None:
        """Let a place say which object is meant, where the verb needs none, or another place follows."""
        places = [part for part in self._parts if part.kind in ("place", "from")]
        for number, part in enumerate(places):
            follows = thing is not None and self._parts.index(part) == self._parts.index(thing) + 1
            needed = part.kind == "place" and self._takes(part) and not self._other_goal(places[number + 1 :])
            if needed or thing is None or part.moving or not part.mentions or not (follows or part.kind == "from"):
                continue
            relation = Relation(part.value) if part.kind == "place" and not part.moving else Relation.ON
            landmarks = self._resolved(part.mentions)
            if part.kind == "from":
                relation = Relation.IN if landmarks[0].shape == "bowl" else Relation.ON
            self._parts.remove(part)
            thing = self._described(thing, relation=relation, landmarks=landmarks)

    def _takes(self, part: ClausePart) -> bool:
        """Return whether the verb may have this place."""
        kinds = {"place"} | ({"into"} if part.moving else set())
        return any(frame.verb == self._verb.value and frame.has & kinds for frame in self._frames)

    def _other_goal(self, later: Sequence[ClausePart]) -> bool:
        goals = {part.kind for part in later} | {
            part.kind for part in self._parts if part.kind in ("direction", "to", "table")
        }
        return bool(goals & {"place", "direction", "to", "table"})

    def _attach_sides(self) -> None:
        """Let "on the left" say which object is meant: the one before it."""
        for part in [part for part in self._parts if part.kind == "side"]:
            at = self._parts.index(part)
            before = next((each for each in self._parts[:at][::-1] if each.mentions), None)
            if before is None or (self._verb.value == "put" and not self._has("place", "to", "table", "direction")):
                raise NotUnderstood(
                    f"{part.words!r} says where something is; say 'to the {part.value}' for where it goes"
                )
            self._parts.remove(part)
            self._described(before, selector=SELECTORS[part.value])
        directions = [part for part in self._parts if part.kind == "direction"]
        thing = next((part for part in self._parts if part.kind == "object"), None)
        takes = any(frame.verb == self._verb.value and "direction" in frame.has for frame in self._frames)
        if thing is not None and directions and (not takes or len(directions) > 1 or self._has("place", "to")):
            part = directions[0]
            if part.value in SELECTORS and self._parts.index(part) == self._parts.index(thing) + 1:
                self._parts.remove(part)
                self._described(thing, selector=SELECTORS[part.value])

    def _has(self, *kinds: str) -> bool:
        return any(part.kind in kinds for part in self._parts)

    def _described(self, part: ClausePart, **said: object) -> ClausePart:
        """Replace a part by one whose last object is described further."""
        last = part.mentions[-1]
        if last.pronoun or (last.phrase.selector and "selector" in said):
            raise NotUnderstood(f"{part.words!r}: say which object, once")
        phrase = replace(last.phrase, **said)  # type: ignore[arg-type]
        if "selector" in said and phrase.quantity is Quantity.ALL:
            phrase = replace(phrase, quantity=Quantity.ALL)
        more = replace(part, mentions=(*part.mentions[:-1], replace(last, phrase=phrase)))
        self._parts[self._parts.index(part)] = more
        return more

    # What the clause asks for.

    def _frame(self) -> ClauseFrame:
        kinds = {part.kind for part in self._parts}
        if self._has("there") and (self._context.targets or self._context.direction):
            kinds = kinds - {"there"} | {"place" if self._context.targets else "direction"}
        present = kinds | ({"into"} if any(part.kind == "place" and part.moving for part in self._parts) else set())
        for frame in self._frames:
            optional = frame.may | ({"place"} if "into" in frame.has else {"into"})
            if frame.verb == self._verb.value and frame.has <= present and present - frame.has <= optional:
                for kind in ("place", "to", "direction", "distance", "hand"):
                    if len(same := [part for part in self._parts if part.kind == kind]) > 1:
                        raise NotUnderstood(f"{same[1].words!r} is left over: say one place, or two steps")
                return frame
        raise NotUnderstood(self._why_not(kinds))

    def _why_not(self, kinds: set[str]) -> str:
        """Return which part has no use with this verb, or what is missing."""
        verb = self._verb
        if not verb.words:
            said = " ".join(part.words for part in self._parts)
            return f"{said!r}: what is to be done with it? Say for example '{EXAMPLES_OF['pick']}'"
        fitting = [frame for frame in self._frames if frame.verb == verb.value]
        known = set().union(*(frame.has | frame.may for frame in fitting))
        useless = [part for part in self._parts if part.kind not in known and part.kind != "there"]
        example = EXAMPLES_OF.get(verb.value, EXAMPLES_OF["pick"])
        if useless:
            return f"{verb.words!r} with {useless[0].words!r} is nothing that I can do; say for example '{example}'"
        if "distance" in kinds and "direction" not in kinds:
            far = next(part.words for part in self._parts if part.kind == "distance")
            return f"{far!r} in which direction? Say for example '{EXAMPLES_OF['move']}'"
        if "object" in kinds:
            return f"{verb.words!r}: where to? Say for example '{example}'"
        if kinds <= {"up", "down", "there", "air"} and fitting and all("object" in frame.has for frame in fitting):
            return f"{verb.words!r}: what? Say for example '{example}'"
        return f"{verb.words!r} alone is not enough; say for example '{example}'"

    def _objects(self, does: str) -> tuple[ObjectPhrase, ...]:
        """Return what the clause is about, and remember it."""
        part = next((part for part in self._parts if part.kind == "object"), None)
        if part is None:
            return ()
        if is_pronoun(part.mentions) and not self._context.objects and does == "put down":
            return ()  # what is in the hand
        things = self._resolved(part.mentions)
        for thing in things:
            _check_movable(thing, part.words)
        self._context.objects = things
        return things

    def _resolved(self, mentions: Sequence[Mention]) -> tuple[ObjectPhrase, ...]:
        """Return the objects of noun phrases and pronouns."""
        found: list[ObjectPhrase] = []
        for mention in mentions:
            before = self._context.objects
            if mention.pronoun:
                if not before:
                    raise NotUnderstood("'it' means nothing yet: name the object")
                found += before if mention.several or len(before) == 1 or is_pronoun(mentions) else before[-1:]
                continue
            phrase = mention.phrase
            if phrase.quantity in (Quantity.OTHER, Quantity.BOTH) and before:
                shape, colour = phrase.shape or before[-1].shape, phrase.colour
                unlike = before if phrase.quantity is Quantity.OTHER else ()
                if phrase.quantity is Quantity.BOTH and not (phrase.shape or phrase.colour) and len(before) == 2:
                    found += before
                    continue
                phrase = replace(phrase, shape=shape, colour=colour, unlike=unlike)
            _check_colour(phrase)
            found.append(_plain_container(phrase))
        return tuple(found)

    def _step(self, frame: ClauseFrame, thing: ObjectPhrase | None) -> InstructionStep:
        does = frame.does
        direction = next((part.value for part in self._parts if part.kind == "direction"), "")
        distance_m = next((part.metres for part in self._parts if part.kind == "distance"), 0.0)
        if self._has("distance") and not SHORTEST_M - 1e-9 <= distance_m <= LONGEST_M + 1e-9:
            raise NotUnderstood(
                f"{100 * distance_m:g} cm: things are moved by {100 * SHORTEST_M:g} to {100 * LONGEST_M:g} cm"
            )
        if does in ("place", "place at", "push to", "stack"):
            assert thing is not None
            return self._related_step(does, thing)
        if self._has("there"):
            direction = direction or self._context.direction
        if does in ("push", "shift"):
            action = StepAction.PUSH if does == "push" else StepAction.SHIFT
            return InstructionStep(action, thing, direction=direction, distance_m=distance_m)
        if does.startswith("reach"):
            direction = does.removeprefix("reach").strip() or direction or "up"
            return InstructionStep(StepAction.REACH, direction=direction, distance_m=distance_m)
        action = {"pick": StepAction.PICK, "put down": StepAction.PUT_DOWN, "home": StepAction.HOME, "open": StepAction.OPEN,
                  "close": StepAction.CLOSE}[does]  # fmt: skip
        return InstructionStep(action, thing)

    def _related_step(self, does: str, thing: ObjectPhrase) -> InstructionStep:
        part = next((part for part in self._parts if part.kind in ("place", "to")), None)
        if part is None or not part.mentions:
            targets = self._context.targets
            if not targets:
                raise NotUnderstood(f"{part.words if part else 'there'!r}: of what? Name the place")
        else:
            targets = self._resolved(part.mentions)
        relation = SHAPE_HINTS.get(does) if part is None or part.kind == "to" else None
        if part is None:
            relation = self._context.relation
        elif part.kind == "place":
            relation = {"into": Relation.IN, "onto": Relation.ON}.get(part.value) or Relation(part.value)
        assert relation is not None
        pushes = does == "push to"
        relation = _fitting_relation(relation, targets, pushes, does == "stack", part.words if part else "there")
        if thing in targets and thing.quantity not in (Quantity.OTHER, Quantity.ANY):
            raise NotUnderstood(f"{thing} {related(relation, targets)}: that is the object itself")
        return InstructionStep(StepAction.PUSH if pushes else StepAction.PLACE, thing, relation, targets)


def _verb(clause: Clause) -> ClausePart:
    """Return the one verb of a clause; a light one counts only where there is no other.

    Raises:
        NotUnderstood: there are two.
    """
    verbs = clause.of("verb")
    full = [part for part in verbs if part.value not in ("belong", "go")] or verbs[-1:]
    if len(full) > 1:
        raise NotUnderstood(
            f"{full[0].words!r} and {full[1].words!r} at once: say one step after the other, with 'then'"
        )
    if full:
        return full[0]
    lights = clause.of("light")
    return lights[0] if lights else ClausePart("verb", "")


def _fitting_relation(
    relation: Relation, targets: Sequence[ObjectPhrase], pushes: bool, stacks: bool, words: str
) -> Relation:
    """Return the relation as the target takes it: in a bowl, on a plate.

    Raises:
        NotUnderstood: the target does not take it.
    """
    target = targets[0]
    if relation is Relation.UNDER:
        raise NotUnderstood(f"{words!r}: nothing can be put under something; in, on, next to or behind it can")
    if relation is Relation.BETWEEN and len(targets) != 2:
        raise NotUnderstood(f"{words!r}: between which two objects?")
    if relation is not Relation.BETWEEN and len(targets) > 1:
        raise NotUnderstood(f"{words!r}: one place, please; only 'between' takes two objects")
    if target.quantity in (Quantity.ALL, Quantity.BOTH) and relation is not Relation.BETWEEN:
        raise NotUnderstood(f"{words!r}: one place, please")
    if pushes:
        if relation is not Relation.NEXT_TO:
            raise NotUnderstood(f"push {words!r}: things are pushed to a side, or to something")
        return relation
    if target.shape in CONTAINERS and relation in (Relation.IN, Relation.ON, Relation.NEXT_TO):
        if relation is Relation.NEXT_TO and not words.startswith(("to ", "towards ", "over to ", "up to ")):
            return relation
        return Relation.IN if target.shape == "bowl" else Relation.ON
    if relation is Relation.IN:
        raise NotUnderstood(f"{words!r}: only a bowl takes things in; on a cube or a cylinder things can stand")
    if relation is Relation.ON and target.shape == "ball":
        raise NotUnderstood(f"{words!r}: nothing stays on a ball")
    if stacks and relation is not Relation.ON:
        raise NotUnderstood(f"stack {words!r}: say 'on'")
    return relation


def _check_colour(phrase: ObjectPhrase) -> None:
    """Refuse a colour that no such object has."""
    if not phrase.colour:
        return
    if phrase.shape in CONTAINERS:
        if phrase.colour not in COLOURS_OF_CONTAINERS[phrase.shape]:
            own = COLOURS_OF_CONTAINERS[phrase.shape][0]
            raise NotUnderstood(f"no {phrase.colour} {phrase.shape} is known: the {phrase.shape} is {own}")
    elif phrase.colour not in COLOURS:
        raise NotUnderstood(
            f"no {phrase.colour} {phrase.shape or 'object'} is known: objects are {', '.join(COLOURS[:-1])} or {COLOURS[-1]}"
        )


def _plain_container(phrase: ObjectPhrase) -> ObjectPhrase:
    """There is one bowl and one plate: neither colour nor article tells which."""
    if phrase.shape not in CONTAINERS:
        return phrase
    if phrase.quantity in (Quantity.OTHER, Quantity.BOTH, Quantity.ALL):
        raise NotUnderstood(f"{phrase}: there is one {phrase.shape}")
    return ObjectPhrase(shape=phrase.shape)


def _check_movable(thing: ObjectPhrase, words: str) -> None:
    if thing.shape in CONTAINERS:
        raise NotUnderstood(
            f"{words!r}: the {thing.shape} stays where it is; only cubes, cylinders and balls are moved"
        )
