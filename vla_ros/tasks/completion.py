"""Whether a step is done by what is seen: the judge's geometry with the error of seeing, and a third answer, "cannot tell".

`judge` knows the true state and has two answers. Here positions are estimates: between "done" and "failed" lies what the
estimates leave open. Heights are over the table; left is +y. Lengths in m.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.tasks.geometry import (
    IN_BOWL_HEIGHT_M,
    IN_BOWL_M,
    LIFTED_M,
    ON_PLATE_M,
    PUSHED_M,
    PUSHED_TO_M,
    STACK_HEIGHT_M,
    STACKED_M,
)
from vla_ros.tasks.objects import OBJECT_WIDTH_M, PLATE_HEIGHT_M, height_of, radius_of
from vla_ros.tasks.vocabulary import SIDES

STDS = 2.0
"""An estimate is trusted to so many standard deviations."""
MIN_MARGIN_M, MAX_MARGIN_M = 0.004, 0.015
"""Least and largest error that is granted to a horizontal distance, whatever the estimates say of themselves."""
HEIGHT_MARGIN_M = 0.015
"""Error that is granted to a height: one camera sees it worse than a place."""
BEHIND_M = 0.015
"""An object that is seen so close behind another one may as well stand on it."""
IN_HAND_M = 0.06
"""An object that is seen within this of the tool, from above, may be what the fingers hold."""
NEAREST_X_M = 0.15
"""Nothing on the table is seen nearer to the arm's base, or behind it: what seems to be is higher up."""


class Completion(enum.Enum):
    """What a look says of a step."""

    DONE = "done"
    FAILED = "failed"
    UNSURE = "cannot tell"


@dataclass(frozen=True)
class StepCheck:
    """verdict: of one step. reason: what is wrong, or what cannot be told; empty: it is done."""

    verdict: Completion
    reason: str = ""


@dataclass(frozen=True)
class SeenObject:
    """An object as it was looked for.

    Attributes:
        name: in words, "the red cube".
        shape: of `vocabulary.SHAPES`; empty: not known.
        p: (3,) estimated centre; None: not in view.
        std_m: standard deviation of a horizontal coordinate.
        p_camera: (3,) from where it was seen; None: not known.
    """

    name: str
    shape: str
    p: Array | None
    std_m: float = 0.0
    p_camera: Array | None = None

    def at_height(self, height: float) -> Array:
        """Return (3,) where it is if its centre is at this height: on the same line of sight."""
        assert self.p is not None
        if self.p_camera is None:
            return self.p
        share = (height - self.p_camera[2]) / (self.p[2] - self.p_camera[2])
        p: Array = self.p_camera + share * (self.p - self.p_camera)
        return p


@dataclass(frozen=True)
class SeenHand:
    """p: (3,) of the tool. holds: whether the fingers are kept apart by something."""

    p: Array
    holds: bool


def check_step(
    kind: str, x: SeenObject, y: SeenObject | None, side: str, start: Array | None, hand: SeenHand
) -> StepCheck:
    """Compare what is seen with what a step asked for.

    Args:
        kind: of `task.STEP_KINDS`.
        x: what was to be moved.
        y: where to; None: a push to a side, or a pick.
        side: of `vocabulary.SIDES`, of a push; else anything.
        start: (3,) where x was before; None: not known.
        hand: as measured.
    """
    if kind == "pick":
        return _check_pick(x, start, hand)
    if x.p is None:
        return _unsure(f"{x.name} is not in view")
    if kind != "push" and hand.holds and _apart(x.p, hand.p) < IN_HAND_M:
        return _failed(f"{x.name} is still in the hand")
    if y is not None and y.p is None:
        return _unsure(f"{y.name} is not in view")
    if kind == "push":
        return _check_push(x, y, side, start)
    assert y is not None
    return _check_put_down(kind, x, y)


def _check_pick(x: SeenObject, start: Array | None, hand: SeenHand) -> StepCheck:
    if not hand.holds:
        return _failed(f"nothing is in the hand, {_seen_at(x)}")
    if x.p is not None and _apart(x.p, hand.p) > IN_HAND_M + MAX_MARGIN_M:
        # One camera hardly tells how high it is: the line of sight to the hand goes on to the table.
        if _apart(x.at_height(float(hand.p[2])), hand.p) > IN_HAND_M + MAX_MARGIN_M:
            return _failed(f"{x.name} is not in the hand, {_seen_at(x)}")
        if x.p[0] > NEAREST_X_M:
            return _unsure(f"{x.name} is in the hand or behind it")
    rest = height_of(x.shape) / 2 if start is None else float(start[2])
    if hand.p[2] - rest < LIFTED_M - MIN_MARGIN_M:
        return _failed(f"{x.name} is {_cm(hand.p[2] - rest)} higher than it was, not {_cm(LIFTED_M)}")
    return _unsure(f"what is in the hand does not show; {_seen_at(x)}") if x.p is None else StepCheck(Completion.DONE)


def _check_push(x: SeenObject, y: SeenObject | None, side: str, start: Array | None) -> StepCheck:
    assert x.p is not None
    if y is not None:
        assert y.p is not None
        gap = _apart(x.p, y.p) - radius_of(x.shape) - radius_of(y.shape)
        return _within(
            gap, PUSHED_TO_M, _margin(x, y), f"{x.name} is {{}} from {y.name}", f"{x.name} has come to {y.name}"
        )
    if start is None or side not in SIDES:
        return _unsure(f"where {x.name} was before is not known")
    moved = float(x.p[1] - start[1]) * (1 if side == "left" else -1)
    failure = f"{x.name} has moved {{}} to the {side}, not {_cm(PUSHED_M)}"
    return _within(-moved, -PUSHED_M, _margin(x), failure, f"{x.name} has moved far enough to the {side}")


def _check_put_down(kind: str, x: SeenObject, y: SeenObject) -> StepCheck:
    """Check place and stack.

    One camera hardly tells the height of what stands on something. Where the height that is seen would put x inside of y,
    x is where its line of sight passes over y. An object that touches y from behind looks nearly the same.
    """
    assert x.p is not None and y.p is not None
    inside = kind != "stack" and y.shape == "bowl"
    tolerance = STACKED_M if kind == "stack" else IN_BOWL_M if inside else ON_PLATE_M
    half = height_of(x.shape) / 2
    rest = half if inside else half + (height_of(y.shape) if kind == "stack" else PLATE_HEIGHT_M)
    p, where = x.p, f"{'in' if inside else 'on'} {y.name}"
    if kind == "stack" and p[2] < rest - HEIGHT_MARGIN_M and _apart(p, y.p) < OBJECT_WIDTH_M + BEHIND_M:
        if _apart(p, y.p) > OBJECT_WIDTH_M + MIN_MARGIN_M / 2:
            return _unsure(f"{x.name} is {where} or behind it")
        p = x.at_height(rest)
    too_high = p[2] - IN_BOWL_HEIGHT_M if inside else abs(p[2] - rest) - STACK_HEIGHT_M
    if too_high > HEIGHT_MARGIN_M:
        return _failed(f"{x.name} is not {where}: it is {_cm(max(p[2] - half, 0.0))} over the table")
    if inside and too_high > 0:
        return _unsure(f"{x.name} is {where} or on something in it")
    failure = f"{x.name} is not {where}: it is {{}} beside its middle"
    return _within(_apart(p, y.p), tolerance, _margin(x, y), failure, f"{x.name} is {where}")


def _within(value: float, limit: float, margin: float, failure: str, claim: str) -> StepCheck:
    """Return DONE where value <= limit for certain, FAILED where it is not for certain, else UNSURE."""
    if value <= limit - margin:
        return StepCheck(Completion.DONE)
    if value > limit + margin:
        return _failed(failure.format(_cm(abs(value))))
    return _unsure(f"whether {claim} is too close to call")


def _margin(*objects: SeenObject) -> float:
    spread = STDS * float(np.linalg.norm([item.std_m for item in objects]))
    return min(max(spread, MIN_MARGIN_M), MAX_MARGIN_M)


def _apart(a: Array, b: Array) -> float:
    return float(np.hypot(*(a - b)[:2]))


def _seen_at(x: SeenObject) -> str:
    if x.p is None:
        return f"and {x.name} is not in view"
    return f"{x.name} is seen at {x.p[0]:.2f}, {x.p[1]:.2f} m"


def _cm(length_m: float) -> str:
    return f"{100 * length_m:.0f} cm"


def _failed(reason: str) -> StepCheck:
    return StepCheck(Completion.FAILED, reason)


def _unsure(reason: str) -> StepCheck:
    return StepCheck(Completion.UNSURE, reason)
