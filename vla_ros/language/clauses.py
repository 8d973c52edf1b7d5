"""The parts of a sentence to clauses, one for each thing that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vla_ros.language.parts import ClausePart, Mention, NotUnderstood

JOINTS = (",", ";", "and", "then", "but first", "?")
PLACES = ("place", "to", "from", "table", "direction", "side", "down")


@dataclass(frozen=True)
class Clause:
    """The parts of one thing that is asked for. first: it is to be done before what was said so far."""

    parts: tuple[ClausePart, ...]
    first: bool = False

    def of(self, *kinds: str) -> list[ClausePart]:
        """Return the parts of these kinds, in order."""
        return [part for part in self.parts if part.kind in kinds]


def read_clauses(parts: Sequence[ClausePart]) -> list[Clause]:
    """Divide a sentence into clauses.

    A comma, a colon or "and" divides where a verb stands on both sides, or where objects have places of their own ("the
    ball in the bowl and the cube on the plate"); else it is nothing. A clause without a verb takes that of the one before.

    Raises:
        NotUnderstood: "or" leaves open what is to be done.
    """
    clauses: list[Clause] = []
    current: list[ClausePart] = []
    first = False
    for number, part in enumerate(parts):
        if part.kind == "or":
            raise NotUnderstood("say which one, without 'or'")
        if part.kind not in JOINTS:
            current.append(part)
            continue
        segment = _segment(parts[number + 1 :])
        if (
            part.kind == "and"
            and segment
            and segment[0].kind in PLACES
            and any(each.kind in PLACES for each in current)
        ):
            raise NotUnderstood(f"'and {segment[0].words}': one place for each object, please")
        if part.kind == "but first" or ((part.kind in ("then", ";", "?") or _begins(current, segment)) and current):
            if current:
                clauses.append(Clause(tuple(current), first))
            current, first = [], part.kind == "but first"
    if current:
        clauses.append(Clause(tuple(current), first))
    return _completed(clauses)


def _segment(parts: Sequence[ClausePart]) -> list[ClausePart]:
    """Return the parts up to the next joint, behind the joints that stand at the beginning."""
    found: list[ClausePart] = []
    for part in parts:
        if part.kind in JOINTS:
            if found:
                break
            continue
        found.append(part)
    return found


def _begins(current: Sequence[ClausePart], segment: Sequence[ClausePart]) -> bool:
    """Return whether `segment` is a clause of its own behind `current`."""
    kinds, has = {part.kind for part in segment}, {part.kind for part in current}
    if _asks(segment):
        return _asks(current)
    # Without a verb: its own object, where the clause before has one already.
    return "object" in kinds and "object" in has and bool(has & {"verb", "participle"})


def _asks(parts: Sequence[ClausePart]) -> bool:
    """Return whether parts hold a verb of their own; a weak one counts with an object: "i would like, please, …"."""
    kinds = {part.kind for part in parts}
    weak = any(part.kind == "verb" and part.weak for part in parts)
    full = any(part.kind == "verb" and not part.weak for part in parts)
    return full or (weak and bool(kinds & {"object", "hand", "home"})) or "participle" in kinds


def _completed(clauses: Sequence[Clause]) -> list[Clause]:
    """Give verbs, and places, to clauses that share those of the one before: "the ball in the bowl, the cube too"."""
    done: list[Clause] = []
    for said in clauses:
        clause = _divided(said)
        if not clause.of("verb", "light") and done and (clause.of("object") or clause.of("participle")):
            shared = done[-1].of("verb", "light", *(() if clause.of("participle") else ("participle",)))
            if shared and not clause.of("participle", *PLACES):
                shared += done[-1].of(*PLACES)
            clause = replace(clause, parts=(*_weak_first(shared, clause), *clause.parts))
        done.append(clause)
    return done


def _weak_first(shared: Sequence[ClausePart], clause: Clause) -> list[ClausePart]:
    """Return what a clause shares; of verbs only the weak ones, where it has a participle of its own."""
    if not clause.of("participle"):
        return list(shared)
    return [part for part in shared if part.weak]


def _divided(clause: Clause) -> Clause:
    """Drop a topic that a pronoun of the same clause takes up: "the red cube: put it in the bowl"."""
    objects = clause.of("object")
    if len(objects) == 2 and objects[1].mentions[0].pronoun and not objects[0].mentions[0].pronoun:
        topic, pronoun = objects
        moved = [topic if part is pronoun else part for part in clause.parts if part is not topic]
        return replace(clause, parts=tuple(moved))
    return clause


def is_pronoun(mentions: Sequence[Mention]) -> bool:
    """Return whether an object is said by a pronoun alone."""
    return len(mentions) == 1 and mentions[0].pronoun
