"""One clause to steps: which frame of the grammar it fits, what each part says, and what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vla_ros.language.clause_verb import EXAMPLES_OF, read_verb
from vla_ros.language.clauses import Clause, is_pronoun
from vla_ros.language.grammar import ClauseFrame
from vla_ros.language.parts import SELECTORS, ClausePart, Mention, NotUnderstood
from vla_ros.language.placement_rules import check_colour, check_movable, fitting_relation, plain_container
from vla_ros.language.steps import InstructionStep, ObjectPhrase, Quantity, Relation, StepAction, related

SHORTEST_M, LONGEST_M = 0.01, 0.30
"""A distance that an object or the hand is moved by."""
SHAPE_HINTS = {"place at": Relation.NEXT_TO, "push to": Relation.NEXT_TO, "stack": Relation.ON}


@dataclass
class Context:
    """What was said so far. objects: that the last step was about. targets: where it put them. begun: this sentence."""

    objects: tuple[ObjectPhrase, ...] = ()
    relation: Relation | None = None
    targets: tuple[ObjectPhrase, ...] = ()
    direction: str = ""
    begun: bool = False


class ClauseReader:
    """Reads one clause.

    Args:
        frames: what a clause can ask for.
        clause: its parts.
        context: is changed to what this clause is about.
    """

    def __init__(self, frames: Sequence[ClauseFrame], clause: Clause, context: Context) -> None:
        self._frames, self._context = frames, context
        self._verb, self._parts = read_verb(clause.parts)

    def steps(self) -> list[InstructionStep]:
        """Return its steps: one for each object.

        Raises:
            NotUnderstood: a part has no use, or one is missing.
        """
        self._attach_relatives()
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
        self._context.direction, self._context.begun = made[0].direction, True
        return made

    def described(self) -> tuple[tuple[ObjectPhrase, ...], list[ClausePart]]:
        """Return the objects with what all places say of them, and the parts that are left over; see `described_objects`."""
        self._attach_relatives()
        thing = next((part for part in self._parts if part.kind == "object"), None)
        self._attach_places(thing)
        self._attach_sides()
        objects = [part for part in self._parts if part.kind == "object"]
        rest = [part for part in self._parts if part not in objects[:1]]
        return (self._resolved(objects[0].mentions) if objects else ()), rest

    # Parts that say which object, not where to.

    def _attach_relatives(self) -> None:
        """Let "that is on the left", "which stands next to the bowl" say which object is meant: the one before it."""
        for mark in [part for part in self._parts if part.kind == "relative"]:
            at = self._parts.index(mark)
            before = next((each for each in self._parts[:at][::-1] if each.mentions), None)
            told = self._parts[at + 1] if at + 1 < len(self._parts) else mark
            if before is None or told.kind not in ("place", "from", "side", "direction"):
                raise NotUnderstood(f"{mark.words!r} is left over: which object is meant?")
            self._parts.remove(mark)
            self._parts.remove(told)
            if told.kind in ("place", "from"):
                self._located(before, told)
            elif told.value in SELECTORS:
                self._described(before, selector=SELECTORS[told.value])
            else:
                raise NotUnderstood(f"{mark.words} {told.words!r} tells no object from others")

    def _attach_places(self, thing: ClausePart | None) -> None:
        """Let a place say which object is meant, where the verb needs none, or another place follows."""
        places = [part for part in self._parts if part.kind in ("place", "from")]
        for number, part in enumerate(places):
            follows = thing is not None and self._parts.index(part) == self._parts.index(thing) + 1
            needed = part.kind == "place" and self._takes(part) and not self._other_goal(places[number + 1 :])
            if needed or thing is None or part.moving or not part.mentions or not (follows or part.kind == "from"):
                continue
            before = self._parts[self._parts.index(part) - 1]
            if part.kind == "from" and before.kind == "direction":
                raise NotUnderstood(f"{before.words} {part.words!r}: say to which side, for example 'to the left'")
            self._parts.remove(part)
            thing = self._located(thing, part)

    def _located(self, thing: ClausePart, place: ClausePart) -> ClausePart:
        """Return an object that is described by where it is."""
        if not place.mentions:
            raise NotUnderstood(f"{place.words!r}: of what? Name the place")
        landmarks = self._resolved(place.mentions)
        if place.kind == "from":
            relation = Relation.IN if landmarks[0].shape == "bowl" else Relation.ON
        else:
            relation = {"into": Relation.IN, "onto": Relation.ON}.get(place.value) or Relation(place.value)
        return self._described(thing, relation=relation, landmarks=landmarks)

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
        if self._context.begun and self._context.objects and not self._has("object"):
            self._parts.append(ClausePart("object", "it", mentions=(Mention(ObjectPhrase(), True, True),)))
            return self._frame()  # "pick up the cube and place in the bowl"
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
            check_movable(thing, part.words)
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
            check_colour(phrase)
            found.append(plain_container(phrase))
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
            if does == "stack" and (len(self._context.objects) > 1 or thing.several):
                raise NotUnderstood(f"{self._verb.words!r} several at once: say which on which, in steps")
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
        relation = fitting_relation(
            relation,
            targets,
            pushes,
            does == "stack",
            part.words if part else "there",
            part is not None and part.kind == "to",
        )
        if thing in targets and thing.quantity not in (Quantity.OTHER, Quantity.ANY):
            raise NotUnderstood(f"{thing} {related(relation, targets)}: that is the object itself")
        return InstructionStep(StepAction.PUSH if pushes else StepAction.PLACE, thing, relation, targets)


def described_objects(
    parts: Sequence[ClausePart], context: Context
) -> tuple[tuple[ObjectPhrase, ...], list[ClausePart]]:
    """Return the objects of a question, which its places describe, and the parts that are left over.

    Raises:
        NotUnderstood: they describe nothing.
    """
    reader = ClauseReader((), Clause(tuple(parts)), context)
    return reader.described()
