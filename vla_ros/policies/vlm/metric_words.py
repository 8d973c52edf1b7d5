"""Metric words to motions of the tool: "move 20 cm forward", "turn 45 degrees", "open the gripper".

The directions are the base frame's (REP 103): forward is +x, left is +y (the robot's left), up is +z. A turn is about the
vertical through the tool, to the left (counter-clockwise, seen from above) unless it is said otherwise. "along the tool"
and "about the tool" mean the tool's z axis, which points out of the hand. The grammar is exact: words that it does not know
are no metric words, and are left to the policy.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

A_BIT_M, A_BIT_DEG = 0.02, 5.0
"""What "a bit", "a little" and "slightly" mean."""
LEAST_M, LEAST_DEG = 0.001, 0.5
"""Less than this is no motion that the arm makes."""
LEAST_HEIGHT_M = 0.02
"""Least height over a point: its place is not known to the millimetre."""

Vector = tuple[float, float, float]
DIRECTIONS: dict[str, Vector] = {
    **dict.fromkeys(("forward", "forwards", "ahead"), (1.0, 0.0, 0.0)),
    **dict.fromkeys(("backward", "backwards", "back"), (-1.0, 0.0, 0.0)),
    **dict.fromkeys(("left", "leftward", "leftwards", "to the left", "to your left"), (0.0, 1.0, 0.0)),
    **dict.fromkeys(("right", "rightward", "rightwards", "to the right", "to your right"), (0.0, -1.0, 0.0)),
    **dict.fromkeys(("up", "upward", "upwards", "higher"), (0.0, 0.0, 1.0)),
    **dict.fromkeys(("down", "downward", "downwards", "lower"), (0.0, 0.0, -1.0)),
}
ALONG_TOOL: dict[str, Vector] = {
    "along the tool": (0.0, 0.0, 1.0),
    "forward along the tool": (0.0, 0.0, 1.0),
    "back along the tool": (0.0, 0.0, -1.0),
}
TURNS = {
    **dict.fromkeys(("left", "to the left", "counterclockwise", "counter clockwise", "anticlockwise"), 1.0),
    **dict.fromkeys(("right", "to the right", "clockwise"), -1.0),
}
TILTS: dict[str, Vector] = {
    "forward": (0.0, 1.0, 0.0),
    **dict.fromkeys(("back", "backward"), (0.0, -1.0, 0.0)),
    "left": (-1.0, 0.0, 0.0),
    "right": (1.0, 0.0, 0.0),
}
"""Axis of a tilt in the base frame: the upper end of what stands upright goes where the word says."""
UNITS_M = {"mm": 1e-3, "millimetre": 1e-3, "cm": 1e-2, "centimetre": 1e-2, "m": 1.0, "metre": 1.0}
ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBERS = {
    **{word: float(value) for value, word in enumerate(ONES)},
    **{word: 10.0 * (value + 2) for value, word in enumerate(TENS)},
    **{f"{tens} {ones}": 10.0 * (i + 2) + j for i, tens in enumerate(TENS) for j, ones in enumerate(ONES[:10]) if j},
    **{"a hundred": 100.0, "one hundred": 100.0, "a": 1.0, "half a": 0.5, "a quarter of a": 0.25},
}


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


FILLERS = re.compile(r"\b(?:please|now|straight|exactly|carefully|gently|slowly|just|about|roughly)\b(?! the tool)")
HYPHEN = re.compile(r"(?<=[a-z0-9])-(?=[a-z])")
"""Between words, as in twenty-five; before a number it is a minus, which is no metric word."""
SEPARATOR = re.compile(r",?\s*\b(?:and then|and|then|after that)\b|[;!\n]|[.,](?!\d)")
MEASURE = re.compile(
    rf"\b(?:by )?(?:(?P<number>\d+(?:\.\d+)?|\b(?:{_any(NUMBERS)})\b) ?"
    rf"(?P<unit>{_any(UNITS_M)}|degree|deg|°)(?:s\b|\b|(?<=°))|(?P<bit>(?:a (?:tiny |little )?bit|a little|slightly)\b))"
)
TOOL = r"(?: (?:(?:the |your )?(?:tool|hand|gripper|arm|wrist|end effector|robot)|yourself))?"
MOVE = re.compile(
    rf"(?:(?:move|go|shift|come){TOOL} )?(?:# (?P<after>WAY)|(?P<before>WAY) #)".replace(
        "WAY", _any(DIRECTIONS | ALONG_TOOL)
    )
)
RAISE = re.compile(rf"(?P<verb>raise|lift|lower){TOOL} #(?: (?:up|down))?")
TURN = re.compile(
    rf"(?:turn|rotate|twist|spin){TOOL}(?: (?P<before>{_any(TURNS)}))? #(?: (?P<after>{_any(TURNS)}))?"
    r"(?P<tool> about the tool)?"
)
TILT = re.compile(rf"tilt{TOOL} (?:(?P<before>{_any(TILTS)}) #|# (?P<after>{_any(TILTS)}))")
GRIPPER = re.compile(r"(?P<verb>open|close)(?: (?:the|your))? (?:gripper|hand|fingers)")
ABOVE = re.compile(rf"(?:move|go|reach|come){TOOL}(?: to)? # (?:above|over) the point")


class MotionRefused(ValueError):
    """A motion in words that is too long, too short or not possible; the text says why."""


class MotionKind(enum.Enum):
    """What a motion does."""

    MOVE = "move"
    TURN = "turn"
    OPEN = "open the gripper"
    CLOSE = "close the gripper"
    ABOVE = "above the point"


@dataclass(frozen=True)
class MetricMotion:
    """One straight motion of the tool.

    Attributes:
        kind: what it does.
        amount: MOVE and ABOVE: m; TURN: rad; else 0.
        axis: unit vector of the translation or of the turn (right-hand rule).
        in_tool_frame: the axis is the tool frame's; False: the base frame's.
    """

    kind: MotionKind
    amount: float = 0.0
    axis: Vector = (0.0, 0.0, 0.0)
    in_tool_frame: bool = False


def parse_motions(text: str, max_move_m: float, max_turn_rad: float) -> tuple[MetricMotion, ...] | None:
    """Return the motions that `text` asks for, in order; None where not all of it is metric words.

    Args:
        text: as a person or a model says it.
        max_move_m: longest motion in one line, m. max_turn_rad: largest turn at once, rad.

    Raises:
        MotionRefused: all of it is metric words, and a motion is beyond a limit or of no size.
    """
    words = HYPHEN.sub(" ", FILLERS.sub(" ", text.lower())).replace("meter", "metre")
    plain = " ".join(words.split())
    clauses = [clause for part in SEPARATOR.split(plain) if (clause := part.strip(" ,."))]
    motions: list[MetricMotion] = []
    for clause in clauses:
        motion = _motion(clause)
        if motion is None:
            return None
        motions.append(motion)
    for motion in motions:
        _check(motion, max_move_m, max_turn_rad)
    return tuple(motions) or None


def _motion(clause: str) -> MetricMotion | None:
    """Return the motion of one clause; None where it is none."""
    if match := GRIPPER.fullmatch(clause):
        return MetricMotion(MotionKind.OPEN if match["verb"] == "open" else MotionKind.CLOSE)
    measures = list(MEASURE.finditer(clause))
    if len(measures) != 1:
        return None
    measure = measures[0]
    rest = " ".join(f"{clause[: measure.start()]} # {clause[measure.end() :]}".split())
    metres, radians = _metres(measure), _radians(measure)
    if metres is not None:
        if match := MOVE.fullmatch(rest):
            way = match["after"] or match["before"]
            along = way in ALONG_TOOL
            return MetricMotion(MotionKind.MOVE, metres, ALONG_TOOL[way] if along else DIRECTIONS[way], along)
        if match := RAISE.fullmatch(rest):
            return MetricMotion(MotionKind.MOVE, metres, DIRECTIONS["down" if match["verb"] == "lower" else "up"])
        if ABOVE.fullmatch(rest):
            return MetricMotion(MotionKind.ABOVE, metres)
    if radians is not None:
        if (match := TURN.fullmatch(rest)) and not (match["before"] and match["after"]):
            sign = TURNS[match["before"] or match["after"] or "left"]
            return MetricMotion(MotionKind.TURN, radians, (0.0, 0.0, sign), match["tool"] is not None)
        if match := TILT.fullmatch(rest):
            return MetricMotion(MotionKind.TURN, radians, TILTS[match["after"] or match["before"]])
    return None


def _metres(measure: re.Match[str]) -> float | None:
    if measure["bit"]:
        return A_BIT_M
    factor = UNITS_M.get(measure["unit"])
    return None if factor is None else _number(measure["number"]) * factor


def _radians(measure: re.Match[str]) -> float | None:
    if measure["bit"]:
        return math.radians(A_BIT_DEG)
    return None if measure["unit"] in UNITS_M else math.radians(_number(measure["number"]))


def _number(text: str) -> float:
    return NUMBERS[text] if text in NUMBERS else float(text[:20])


def _check(motion: MetricMotion, max_move_m: float, max_turn_rad: float) -> None:
    turn = motion.kind is MotionKind.TURN
    if motion.kind is MotionKind.ABOVE and motion.amount < LEAST_HEIGHT_M:
        raise MotionRefused(f"{100 * motion.amount:g} cm above a point; at least {100 * LEAST_HEIGHT_M:g} cm")
    if turn and not math.radians(LEAST_DEG) <= motion.amount <= max_turn_rad * (1 + 1e-9):
        raise MotionRefused(
            f"a turn by {math.degrees(motion.amount):.4g} degrees; from {LEAST_DEG:g} to "
            f"{math.degrees(max_turn_rad):.4g} degrees at once"
        )
    moves = motion.kind in (MotionKind.MOVE, MotionKind.ABOVE)
    if moves and not LEAST_M <= motion.amount <= max_move_m * (1 + 1e-9):
        raise MotionRefused(
            f"a motion by {100 * motion.amount:.4g} cm; from {100 * LEAST_M:g} to {100 * max_move_m:.4g} cm at once"
        )
