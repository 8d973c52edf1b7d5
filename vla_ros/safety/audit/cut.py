"""Long messages in the log: their beginning, their length, and what they changed in the filter's state.

Somebody who sends messages of megabytes, or very many, would fill the log and push the history out of it. So a message of
more than LONG bytes is recorded whole only as long as there is room: ROOM_PER_TICK bytes come back with each tick, at most
ROOM lie ready. Otherwise the record holds the beginning of each value, and the fields of the state that the message changed,
which for a refused one are counters and the reason. A replay takes these over instead of computing them. What moves the arm
is never taken over: a message that changes one of OUTPUT is recorded whole.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from vla_ros.safety.audit.snapshot import SnapshotError, plain, value_of
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.state import FilterState

LONG = 1024
ROOM, ROOM_PER_TICK = 1 << 16, 1 << 12
"""1 MB/s at 250 ticks per second."""
NUMBER = 9
"""Bytes of a number in a record."""
OBSTACLE = 8 * NUMBER
MOST_LOOKED_AT = 4096
"""Of a longer sequence the elements are not measured: it is too long, whatever they are."""
FIRST_ITEMS, FIRST_CHARACTERS = 8, 80
NOT_COMPARED = frozenset({"distances"})
"""Large; it changes only together with one of OUTPUT."""
OUTPUT = frozenset(
    {
        *("state", "sending", "scale", "latched_by", "stalled_by", "followed", "spline", "targets", "accepted"),
        *(
            "ticked_ns",
            "ticks",
            "limited",
            "joints",
            "sent",
            "distances",
            "obstacles.active",
            "obstacles.newest",
            "extra",
        ),
    }
)
"""Fields that decide what is sent next, and those of extra rules, whose types are not known."""

Changes = list[list[Any]]
"""[names of the field, from the outermost on; its plain value] each."""


def size_of(value: Any) -> int:
    """Return about how many bytes a value takes in a record; for a very long one, at least as many as are too many."""
    kind = type(value)
    if kind is list or kind is tuple:
        first = type(value[0]) if value else float
        if first is float or first is int or len(value) > MOST_LOOKED_AT:
            return len(value) * NUMBER
        return sum(map(size_of, value))
    if kind is str or kind is bytes:
        return len(value)
    if kind is Obstacle:
        return OBSTACLE + len(value.id) + len(value.frame) + len(value.shape) + len(value.size) * NUMBER
    if dataclasses.is_dataclass(value):
        return sum(size_of(getattr(value, each.name)) for each in dataclasses.fields(value))
    return NUMBER


def shortened(value: Any) -> Any:
    """Return the beginning of a value as plain values, and how much there was of it."""
    if isinstance(value, str):
        return value if len(value) <= FIRST_CHARACTERS else f"{value[:FIRST_CHARACTERS]}... ({len(value)} characters)"
    if isinstance(value, list | tuple):
        first = [shortened(each) for each in value[:FIRST_ITEMS]]
        return first if len(value) <= FIRST_ITEMS else [*first, f"... ({len(value)} in all)"]
    if dataclasses.is_dataclass(value):
        return [shortened(getattr(value, each.name)) for each in dataclasses.fields(value)]
    return value if isinstance(value, bool | int | float) or value is None else f"{value!r:.80}"


def copied(state: FilterState) -> dict[str, Any]:
    """Return the state as plain values, to be compared with what becomes of it."""
    names = (each.name for each in dataclasses.fields(state) if each.name not in NOT_COMPARED)
    return {name: plain(getattr(state, name)) for name in names}


def changes(before: dict[str, Any], state: Any, outer: tuple[str, ...] = ()) -> Changes:
    """Return what has changed in a state since `before`, a dataclass in it field by field."""
    found: Changes = []
    for each in dataclasses.fields(state):
        if each.name not in before:
            continue
        value, names = getattr(state, each.name), (*outer, each.name)
        if _is_changeable(value) and isinstance(before[each.name], dict):
            found += changes(before[each.name], value, names)
        elif (now := plain(value)) != before[each.name]:
            found.append([list(names), now])
    return found


def touches_output(found: Changes) -> bool:
    """Return whether changes are not those of a message that moves nothing."""
    return any(OUTPUT & {".".join(names[:end]) for end in range(1, len(names) + 1)} for names, _ in found)


def apply(state: FilterState, found: Any) -> None:
    """Change a state as a message did.

    Raises:
        SnapshotError: they are no changes of a state, or of its output.
    """
    if not isinstance(found, list) or any(len(each) != 2 or not each[0] for each in found) or touches_output(found):
        raise SnapshotError("it changes what the filter sends, or nothing that a state has")
    for names, value in found:
        owner: Any = state
        for name in names[:-1]:
            owner = getattr(owner, name) if name in _fields(owner) else None
        if not _is_changeable(owner) or names[-1] not in _fields(owner):
            raise SnapshotError(f"{'.'.join(names):.80} is no field of the state")
        kind = typing.get_type_hints(type(owner))[names[-1]]
        setattr(owner, names[-1], value_of(kind, value, ".".join(names)))


def _fields(value: Any) -> set[str]:
    return {each.name for each in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else set()


def _is_changeable(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not value.__dataclass_params__.frozen  # type: ignore[union-attr]
