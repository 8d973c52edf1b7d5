"""The judge: whether a task is achieved, from the true state of the objects. No policy sees that state.

All heights are in the base frame, whose origin lies on the table. Left is +y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.tasks.geometry import (
    is_at_rest,
    is_in_bowl,
    is_lifted,
    is_on_plate,
    is_pushed,
    is_pushed_to,
    is_stacked,
)
from vla_ros.tasks.objects import PLATE_HEIGHT_M
from vla_ros.tasks.task import Step, Task


@dataclass(frozen=True)
class ObjectState:
    """The true state of one object.

    Attributes:
        p_base: (3,) centre, m, base frame.
        speed_m_s: of the centre.
        highest_m: largest height of the centre since the scene began.
        held: whether a finger touches it.
    """

    p_base: Array
    speed_m_s: float
    highest_m: float
    held: bool


def evaluate_task(
    task: Task, start: Mapping[str, ObjectState], now: Mapping[str, ObjectState]
) -> tuple[bool, list[dict[str, object]]]:
    """Judge a task.

    Args:
        task: what was asked for.
        start, now: state of every object, by name.

    Returns:
        whether all steps are achieved now, and for each step "step", "x", "y", "success" and what was measured.
    """
    measures = [
        {"step": step.kind, "x": step.x, "y": step.y, **_evaluate_step(step, start, now)} for step in task.steps
    ]
    return all(bool(measure["success"]) for measure in measures), measures


def _evaluate_step(step: Step, start: Mapping[str, ObjectState], now: Mapping[str, ObjectState]) -> dict[str, object]:
    if step.kind == "pick":
        x = now[step.x]
        lifted = float(x.p_base[2] - start[step.x].p_base[2])
        return {"success": is_lifted(lifted) and is_at_rest(x.speed_m_s) and x.held, "lifted_m": lifted, "held": x.held}
    return _evaluate_push(step, start, now) if step.kind == "push" else _evaluate_put_down(step, start, now)


def _evaluate_push(step: Step, start: Mapping[str, ObjectState], now: Mapping[str, ObjectState]) -> dict[str, object]:
    x = now[step.x]
    rise = float(x.highest_m - start[step.x].p_base[2])
    still = is_at_rest(x.speed_m_s)
    if step.y in now:
        room = float(np.hypot(*(x.p_base - now[step.y].p_base)[:2])) - step.radius_sum_m
        return {"success": is_pushed_to(room, rise) and still, "room_m": room, "rise_m": rise}
    sign = 1.0 if step.y == "left" else -1.0
    moved = float(sign * (x.p_base[1] - start[step.x].p_base[1]))
    return {"success": is_pushed(moved, rise) and still, "moved_m": moved, "rise_m": rise}


def _evaluate_put_down(
    step: Step, start: Mapping[str, ObjectState], now: Mapping[str, ObjectState]
) -> dict[str, object]:
    """Judge place and stack."""
    x, y = now[step.x], now[step.y]
    apart = float(np.hypot(*(x.p_base - y.p_base)[:2]))
    height = float(x.p_base[2] - y.p_base[2])
    # Both stood on the table at the start, so the height of each centre is half of the object's.
    half_height = start[step.x].p_base[2]
    if step.kind == "stack":
        placed = is_stacked(apart, height - float(half_height + start[step.y].p_base[2]))
    elif step.y == "bowl":
        placed = is_in_bowl(apart, x.p_base[2])
    else:
        placed = is_on_plate(apart, height - (half_height + PLATE_HEIGHT_M / 2))
    released = is_at_rest(x.speed_m_s) and not x.held
    return {"success": bool(placed and released), "apart_m": apart, "height_m": height, "held": x.held}
