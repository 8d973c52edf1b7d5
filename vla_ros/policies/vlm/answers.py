"""What a vision-language model answers: JSON of two kinds, checked strictly. A wrong answer is one line, `BadAnswer`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vla_ros.policies.vlm.pointing import PointedPixel

MAX_ANSWER = 20_000
"""Characters of an answer that are read."""
MAX_TEXT = 300
"""Characters of one text in it."""
QUOTED = 60
"""Characters of a wrong answer that an error repeats."""
STATUSES = ("going", "done", "failed")

POINT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"camera": {"type": "string"}, "x": {"type": "number"}, "y": {"type": "number"}},
    "required": ["camera", "x", "y"],
    "additionalProperties": False,
}
PLAN_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "subtasks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "do": {"type": "string"},
                    "point": {"anyOf": [POINT_SCHEMA, {"type": "null"}]},
                },
                "required": ["do", "point"],
                "additionalProperties": False,
            },
        },
        "question": {"type": "string"},
        "impossible": {"type": "string"},
        "finished": {"type": "string"},
    },
    "required": ["subtasks", "question", "impossible", "finished"],
    "additionalProperties": False,
}
"""Exactly one of the four is not empty. Coordinates of a point: thousandths of the image's width and height."""
CHECK_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": list(STATUSES)},
        "reached": {"type": "string"},
        "why": {"type": "string"},
    },
    "required": ["status", "reached", "why"],
    "additionalProperties": False,
}


class BadAnswer(ValueError):
    """An answer that cannot be used; the text says why, in one line."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


@dataclass(frozen=True)
class PlannedSubtask:
    """One subtask. text: an imperative sentence. point: what it is about, where the model has pointed at it."""

    text: str
    point: PointedPixel | None = None


@dataclass(frozen=True)
class PlanAnswer:
    """One of these is not empty: the list of subtasks, a question to people, why the instruction cannot be carried out, or
    why nothing is left to do."""

    subtasks: tuple[PlannedSubtask, ...] = ()
    question: str = ""
    impossible: str = ""
    finished: str = ""


@dataclass(frozen=True)
class CheckAnswer:
    """How a subtask stands. status: of STATUSES. reached: what has been reached. why: it is judged so."""

    status: str
    reached: str = ""
    why: str = ""


def parse_plan(text: str, max_subtasks: int) -> PlanAnswer:
    """Return the list of subtasks in an answer.

    Raises:
        BadAnswer: it is not JSON of PLAN_SCHEMA, or holds more than `max_subtasks`, or not exactly one of the four.
    """
    tree = _object(text, PLAN_SCHEMA["required"])
    words = {name: _text(tree, name) for name in ("question", "impossible", "finished")}
    entries = tree["subtasks"]
    if not isinstance(entries, list):
        raise BadAnswer(f"subtasks: expected a list, got {_quoted(entries)}")
    given = [name for name, value in {"subtasks": entries, **words}.items() if value]
    if len(given) != 1:
        raise BadAnswer(f"expected one of subtasks, {', '.join(words)}, got {' and '.join(given) or 'none'}")
    if len(entries) > max_subtasks:
        raise BadAnswer(f"subtasks: {len(entries)} of them; at most {max_subtasks}")
    return PlanAnswer(tuple(_subtask(entry, f"subtasks[{i}]") for i, entry in enumerate(entries)), **words)


def parse_check(text: str) -> CheckAnswer:
    """Return the judgement in an answer.

    Raises:
        BadAnswer: it is not JSON of CHECK_SCHEMA.
    """
    tree = _object(text, CHECK_SCHEMA["required"])
    status = tree["status"]
    if status not in STATUSES:
        raise BadAnswer(f"status: expected {', '.join(STATUSES)}, got {_quoted(status)}")
    return CheckAnswer(status, _text(tree, "reached"), _text(tree, "why"))


def _subtask(entry: object, where: str) -> PlannedSubtask:
    if not isinstance(entry, Mapping) or "do" not in entry:
        raise BadAnswer(f"{where}: expected an object with `do`, got {_quoted(entry)}")
    text = _text(entry, "do", where)
    if not text:
        raise BadAnswer(f"{where}: do: it is empty")
    point = entry.get("point")
    return PlannedSubtask(text, None if point is None else _point(point, f"{where}: point"))


def _point(entry: object, where: str) -> PointedPixel:
    if not isinstance(entry, Mapping) or not {"camera", "x", "y"} <= set(entry):
        raise BadAnswer(f"{where}: expected camera, x and y, got {_quoted(entry)}")
    coordinates = []
    for name in ("x", "y"):
        value = entry[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1000:
            raise BadAnswer(f"{where}: {name}: expected a number from 0 to 1000, got {_quoted(value)}")
        coordinates.append(float(value))
    return PointedPixel(_text(entry, "camera", where), *coordinates)


def _object(text: str, required: Sequence[str]) -> Mapping[str, Any]:
    """Return the JSON object that an answer is, alone or in a code fence, behind a model's thinking or not."""
    if len(text) > MAX_ANSWER:
        raise BadAnswer(f"{len(text)} characters; at most {MAX_ANSWER} are read")
    plain = text.rpartition("</think>")[2].strip()
    if fenced := re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", plain, re.S):
        plain = fenced[1]
    try:
        tree = json.loads(plain, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, BadAnswer) else "it is not JSON"
        raise BadAnswer(f"{reason}: {_quoted(text)}") from None
    if not isinstance(tree, dict):
        raise BadAnswer(f"expected an object with {', '.join(required)}, got {_quoted(text)}")
    if missing := [name for name in required if name not in tree]:
        raise BadAnswer(f"{', '.join(missing)} is missing: {_quoted(text)}")
    return tree


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise BadAnswer("a key stands twice")
    return tree


def _no_number(name: str) -> float:
    raise BadAnswer(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadAnswer(f"{text} is too large")
    return value


def _text(tree: Mapping[str, Any], name: str, where: str = "") -> str:
    """Return a text of an answer in one line."""
    key, value = f"{where}: {name}" if where else name, tree[name]
    if not isinstance(value, str):
        raise BadAnswer(f"{key}: expected a text, got {_quoted(value)}")
    line = " ".join(value.split())
    if len(line) > MAX_TEXT:
        raise BadAnswer(f"{key}: {len(line)} characters; at most {MAX_TEXT}")
    if not line.isprintable():
        raise BadAnswer(f"{key}: it has characters that cannot be printed")
    return line


def _quoted(value: object) -> str:
    text = " ".join((value if isinstance(value, str) else str(value)[: 2 * QUOTED]).split())
    return repr(text[:QUOTED] + ("…" if len(text) > QUOTED else ""))
