"""The verb of a clause: the one that says what is to be done, among "should", "would you mind" and "placed"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vla_ros.language.part_reader import WEAK
from vla_ros.language.parts import ClausePart, NotUnderstood

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
"""Verb → a sentence that is told where a clause with it is not understood."""


def read_verb(parts: Sequence[ClausePart]) -> tuple[ClausePart, list[ClausePart]]:
    """Return the one verb of a clause, and its other parts.

    Beside another verb a weak one says nothing: "should", "get". A participle is the verb behind a weak one, "should be
    placed"; elsewhere it can only tell where something is, "the cube placed on the plate". A light verb counts alone.

    Raises:
        NotUnderstood: there are two verbs, or a participle that is neither.
    """
    weak_at = next((number for number, part in enumerate(parts) if part.kind == "verb" and part.weak), len(parts))
    full, rest = [part for part in parts if part.kind == "verb" and part.value not in WEAK], []
    acting = [part for part in parts[weak_at + 1 :] if part.kind == "participle"]
    if len(full) + len(acting) > 1:  # "I want the cube standing there lifted"
        acting = [part for part in acting if not (part.state and part.value in WEAK)]
    full += acting
    for part in parts:
        if part in acting:
            continue
        if part.kind == "participle":
            if not part.state:
                raise NotUnderstood(
                    f"{part.words!r} tells what was; say what to do, for example '{EXAMPLES_OF['pick']}'"
                )
            rest.append(replace(part, kind="relative"))
        elif part.kind not in ("verb", "light"):
            rest.append(part)
    if len(full) > 1:
        full = [part for part in full if not part.weak]
    if len(full) > 1:
        raise NotUnderstood(
            f"{full[0].words!r} and {full[1].words!r} at once: say one step after the other, with 'then'"
        )
    if full:
        return full[0], rest
    return _without_full_verb(parts), rest


def _without_full_verb(parts: Sequence[ClausePart]) -> ClausePart:
    """Return the weak verb that counts, else the light one, else an empty one."""
    weak = [part for part in parts if part.kind == "verb"]
    about_object = any(part.kind == "object" for part in parts)
    chosen = [part for part in weak if (part.value != "go") == about_object] or weak
    if about_object:
        chosen = [replace(part, value="belong") if part.value == "go" else part for part in chosen]
    lights = [replace(part, value="give") for part in parts if part.kind == "light"]
    return (*chosen[:1], *lights, ClausePart("verb", ""))[0]
