"""When a task is done: the tolerances, and one function for each kind. Lengths in m, heights over the table.

The judge uses the tolerances as they stand. A policy, the teacher and the scripted expert use tighter or wider ones. They
derive them by `with_margin`, so that they change with the judge.
"""

from __future__ import annotations

from vla_ros.tasks.objects import BOWL_RADIUS_M, PLATE_RADIUS_M

LIFTED_M = 0.08
"""Pick: least height over the start."""
PUSHED_M = 0.08
"""Push to a side: least distance in that direction."""
PUSHED_TO_M = 0.03
"""Push to an object: largest gap between the circles around both, seen from above."""
PUSH_RISE_M = 0.02
"""Push: the object is never higher than this over its start."""
IN_BOWL_M = BOWL_RADIUS_M - 0.015
"""Place in the bowl: largest distance of the centres, seen from above."""
IN_BOWL_HEIGHT_M = 0.08
"""Place in the bowl: the centre is lower than this."""
ON_PLATE_M = PLATE_RADIUS_M
"""Place on the plate: largest distance of the centres, seen from above."""
STACKED_M = 0.025
"""Stack: largest distance of the centres, seen from above."""
STACK_HEIGHT_M = 0.012
"""Place on the plate, and stack: largest error of the height."""
AT_REST_M_S = 0.05
"""Every object that is judged is slower than this."""


def with_margin(tolerance_m: float, margin_m: float) -> float:
    """Return a tolerance with a margin added, rounded to 1 µm. A negative margin makes it tighter."""
    return round(tolerance_m + margin_m, 6)


def is_lifted(rise_m: float) -> bool:
    """Return whether an object is high enough over its start to count as picked up."""
    return rise_m >= LIFTED_M


def is_pushed(moved_m: float, highest_rise_m: float) -> bool:
    """Return whether an object has moved far enough to the side asked for, without being lifted."""
    return moved_m >= PUSHED_M and highest_rise_m < PUSH_RISE_M


def is_pushed_to(gap_m: float, highest_rise_m: float) -> bool:
    """Return whether an object has come near enough to another one, without being lifted."""
    return gap_m <= PUSHED_TO_M and highest_rise_m < PUSH_RISE_M


def is_in_bowl(offset_m: float, height_m: float) -> bool:
    """Return whether an object lies in the bowl. Args: offset_m: of the centres. height_m: of the object's centre."""
    return offset_m < IN_BOWL_M and height_m < IN_BOWL_HEIGHT_M


def is_on_plate(offset_m: float, height_error_m: float) -> bool:
    """Return whether an object lies on the plate. Args: offset_m: of the centres. height_error_m: of the object's centre."""
    return offset_m < ON_PLATE_M and abs(height_error_m) < STACK_HEIGHT_M


def is_stacked(offset_m: float, height_error_m: float) -> bool:
    """Return whether an object stands on another. Args: offset_m: of the centres. height_error_m: of the upper centre."""
    return offset_m < STACKED_M and abs(height_error_m) < STACK_HEIGHT_M


def is_at_rest(speed_m_s: float) -> bool:
    """Return whether an object counts as standing still."""
    return speed_m_s < AT_REST_M_S
