"""The teacher: the right subtask and waypoints for a situation, from its true state. It is stateless, so it labels any state.

It is used in training only. Heights are above the table, m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.compact.model_config import ANCHORS, FOLDS, SUBTASKS, WAYPOINT_DIM
from vla_ros.tasks.geometry import (
    IN_BOWL_HEIGHT_M,
    IN_BOWL_M,
    ON_PLATE_M,
    PUSHED_M,
    STACK_HEIGHT_M,
    STACKED_M,
    with_margin,
)
from vla_ros.tasks.hand import (
    APPROACH_SPEED_M_S,
    FINGER_CLOSED_M,
    FINGER_HALF_DEPTH_M,
    FINGER_OPEN_M,
    HOLDING_FINGER_M,
    LOWEST_TOOL_M,
    PUSH_SPEED_M_S,
    READY_HEIGHT_M,
    RELEASE_CLEARANCE_M,
    RELEASE_GAP_M,
    TRAVEL_HEIGHT_M,
    TRAVEL_SPEED_M_S,
)
from vla_ros.tasks.objects import BOWL_FLOOR_M, OBJECT_HALF_WIDTH_M, PLATE_HEIGHT_M

OPEN, CLOSED = FINGER_OPEN_M, FINGER_CLOSED_M
TRAVEL, READY = TRAVEL_HEIGHT_M, READY_HEIGHT_M
LOWEST = LOWEST_TOOL_M
GAP = RELEASE_GAP_M
BOWL_FLOOR = BOWL_FLOOR_M
QUICK, SLOW, PUSHING = TRAVEL_SPEED_M_S, APPROACH_SPEED_M_S, PUSH_SPEED_M_S
EMPTY, THICK = HOLDING_FINGER_M, 0.0255  # fingers between these two, at rest, hold something
STILL = 0.006  # m/s of a finger
OVER, OVER_LEFT = 0.012, 0.022  # from above: so near is over it; and no longer over it when so far
PUSH_LENGTH, PUSHED = with_margin(PUSHED_M, 0.035), with_margin(PUSHED_M, 0.015)
BEHIND = 0.04  # between the middle of the tool and the face that it is to push
FINGER_DEPTH = FINGER_HALF_DEPTH_M
FACE = OBJECT_HALF_WIDTH_M  # from the middle of a cube or cylinder to its side
PUSH_OPENING = 0.0132
RELEASE_OPENING = OBJECT_HALF_WIDTH_M + RELEASE_CLEARANCE_M
# What the teacher takes for arrived, the judge does too.
ARRIVED_IN_BOWL = with_margin(IN_BOWL_M, -0.002)
ARRIVED_IN_BOWL_HEIGHT = with_margin(IN_BOWL_HEIGHT_M, -0.02)
ARRIVED_ON_PLATE = with_margin(ON_PLATE_M, -0.005)
ARRIVED_ON_PLATE_HEIGHT = with_margin(PLATE_HEIGHT_M, STACK_HEIGHT_M)
ARRIVED_STACKED = with_margin(STACKED_M, -0.001)


@dataclass(frozen=True)
class TeacherObject:
    """An upright object.

    Attributes:
        p: (3,) its centre.
        yaw: rad.
        shape: word.
        height, radius: m.
    """

    p: Array
    yaw: float
    shape: str
    height: float
    radius: float

    @property
    def yaw4(self) -> Array:
        """(2,) cosine and sine of four times the yaw of a cube; (1, 0) for round shapes."""
        angle = 4 * self.yaw if self.shape == "cube" else 0.0
        return np.array([math.cos(angle), math.sin(angle)])


@dataclass(frozen=True)
class Situation:
    """The true state within one step.

    Attributes:
        verb: of model_config.VERBS.
        side: "left", "right" or "none".
        x: the object that is moved.
        y: the object it is moved to, or None.
        start: (3,) position of x at the start of the step.
        p_tool: (3,).
        yaw: of the tool.
        finger: opening of one finger, m.
        finger_velocity: m/s.
    """

    verb: str
    side: str
    x: TeacherObject
    y: TeacherObject | None
    start: Array
    p_tool: Array
    yaw: float
    finger: float
    finger_velocity: float


@dataclass(frozen=True)
class TeacherLabel:
    """What the network should predict.

    Attributes:
        subtask: index into SUBTASKS.
        waypoints: (n, WAYPOINT_DIM).
        anchors: index into ANCHORS for each waypoint.
        progress: of the step, 0..1.
    """

    subtask: int
    waypoints: Array
    anchors: tuple[int, ...]
    progress: float


def label(now: Situation) -> TeacherLabel:
    """Return the right subtask and waypoints for a situation."""
    subtask = _push_subtask(now) if now.verb == "push" else _move_subtask(now)
    after = _next_subtask(now, subtask)
    rows = [_waypoint(now, subtask), _waypoint(now, after)]
    progress = {"done": 1.0}.get(
        SUBTASKS[subtask], (subtask % 8 if subtask < 8 else subtask - 8) / (8 if subtask < 8 else 4)
    )
    return TeacherLabel(subtask, np.stack([row for row, _ in rows]), tuple(anchor for _, anchor in rows), progress)


def subtask_index(name: str) -> int:
    """Return the index of a subtask."""
    return SUBTASKS.index(name)


def grasp_height(x: TeacherObject) -> float:
    """Return the height of the tool at which `x`, standing on the table, is grasped."""
    return max(x.height / 2, LOWEST)


def put_height(x: TeacherObject, y: TeacherObject) -> float:
    """Return the height of the tool at which `x` in the hand is let go over `y`."""
    rest = {"bowl": BOWL_FLOOR}.get(y.shape, y.height)
    height = rest + x.height / 2 + GAP
    return max(height, y.height + LOWEST) if y.shape == "bowl" else height


def arrived(x: TeacherObject, y: TeacherObject) -> bool:
    """Return whether `x` is in or on `y`."""
    distance_to_y = float(np.hypot(*(x.p - y.p)[:2]))
    if y.shape == "bowl":
        return distance_to_y < ARRIVED_IN_BOWL and x.p[2] < ARRIVED_IN_BOWL_HEIGHT
    if y.shape == "plate":
        return distance_to_y < ARRIVED_ON_PLATE and x.p[2] < x.height / 2 + ARRIVED_ON_PLATE_HEIGHT
    return distance_to_y < ARRIVED_STACKED and abs(x.p[2] - y.height - x.height / 2) < STACK_HEIGHT_M


def direction(now: Situation) -> tuple[Array, float]:
    """Return the direction of a push, a unit vector (2,), and its length in m, from the start of the step."""
    if now.y is None:
        return np.array([0.0, 1.0 if now.side == "left" else -1.0]), PUSH_LENGTH
    way = (now.y.p - now.start)[:2]
    distance = float(np.linalg.norm(way))
    if distance < 1e-6:
        return np.array([1.0, 0.0]), 0.0
    reach = now.y.radius if now.y.shape in ("bowl", "plate", "cylinder") else FACE * 1.15
    return way / distance, max(0.0, distance - FACE - reach - 0.006)


def _move_subtask(now: Situation) -> int:
    """Return the subtask of a step that picks, places or stacks."""
    x, y = now.x, now.y
    distance = float(np.hypot(*(now.p_tool - x.p)[:2]))
    height = float(now.p_tool[2])
    near = distance < 0.025 and abs(height - x.p[2]) < 0.03
    holds = near and EMPTY < now.finger < THICK
    if y is not None and arrived(x, y):
        over_y = float(np.hypot(*(now.p_tool - y.p)[:2])) < 0.04
        if over_y and near and now.finger < 0.030:
            return subtask_index("let go of {x}")
        return subtask_index("leave {x}") if over_y and height < TRAVEL - 0.03 else subtask_index("done")
    if holds and abs(now.finger_velocity) < STILL:
        if y is None:
            return subtask_index("done") if height > TRAVEL - 0.025 else subtask_index("lift {x}")
        distance_to_y = float(np.hypot(*(now.p_tool - y.p)[:2]))
        if distance_to_y < OVER or (distance_to_y < OVER_LEFT and height < TRAVEL - 0.015):
            return (
                subtask_index("put {x} on {y}") if height > put_height(x, y) + 0.006 else subtask_index("let go of {x}")
            )
        return subtask_index("carry {x} to {y}") if height > TRAVEL - 0.04 else subtask_index("lift {x}")
    if y is not None and near and float(np.hypot(*(now.p_tool - y.p)[:2])) < OVER_LEFT:
        return subtask_index("let go of {x}")  # the fingers are opening
    if distance < OVER_LEFT and height < x.p[2] + 0.006 + grasp_height(x) - x.height / 2 and now.finger > EMPTY:
        return subtask_index("grasp {x}")
    ready = now.finger > 0.030
    if ready and (distance < OVER or (distance < OVER_LEFT and height < READY - 0.02)):
        return subtask_index("go down to {x}")
    return subtask_index("reach for {x}")


def _push_subtask(now: Situation) -> int:
    """Return the subtask of a step that pushes."""
    ahead, length = direction(now)
    x, height = now.x, float(now.p_tool[2])
    moved = float((x.p - now.start)[:2] @ ahead)
    offset = (now.p_tool - x.p)[:2]
    along, lateral = float(offset @ ahead), abs(float(offset[0] * ahead[1] - offset[1] * ahead[0]))
    low = grasp_height(x)
    if moved > length - (PUSH_LENGTH - PUSHED) or length < 0.01:
        distance_to_y = float(np.linalg.norm(offset))
        return subtask_index("leave {x} there") if height < 0.15 and distance_to_y < 0.12 else subtask_index("done")
    behind = FACE + BEHIND
    if height < low + 0.012 and lateral < 0.018 and -behind - 0.02 < along < -0.01:
        return subtask_index("push {x}")
    if lateral < OVER_LEFT and abs(along + behind) < OVER_LEFT and height < READY - 0.02 and now.finger < 0.02:
        return subtask_index("go down behind {x}")
    if lateral < OVER and abs(along + behind) < OVER and now.finger < 0.02:
        return subtask_index("go down behind {x}")
    return subtask_index("reach behind {x}")


def _next_subtask(now: Situation, subtask: int) -> int:
    """Return the subtask after `subtask`."""
    name = SUBTASKS[subtask]
    if name in ("done", "leave {x}", "leave {x} there"):
        return subtask_index("done")
    if name == "lift {x}" and now.y is None:
        return subtask_index("done")
    return subtask + 1


def _waypoint(now: Situation, subtask: int) -> tuple[Array, int]:
    """Return the row of the waypoint that ends a subtask, and its anchor."""
    name, x, y = SUBTASKS[subtask], now.x, now.y
    offset, yaw, anchor = np.zeros(2), 0.0, "x"
    height, gripper, speed = TRAVEL, CLOSED, QUICK
    ahead, length = direction(now) if now.verb == "push" else (np.array([1.0, 0.0]), 0.0)
    over_y = put_height(x, y) if y is not None else TRAVEL
    if name in ("reach for {x}", "go down to {x}", "grasp {x}", "lift {x}"):
        yaw = x.yaw if x.shape == "cube" else 0.0
    if name == "reach for {x}":
        height, gripper = max(READY, x.p[2] + x.height / 2 + 0.05), OPEN
    elif name == "go down to {x}":
        height, gripper, speed = x.p[2] + grasp_height(x) - x.height / 2, OPEN, SLOW
    elif name == "grasp {x}":
        height, speed = x.p[2] + grasp_height(x) - x.height / 2, SLOW
    elif name == "lift {x}":
        anchor = "tool"
    elif name == "carry {x} to {y}":
        anchor = "y"
    elif name == "put {x} on {y}":
        anchor, height, speed = "y", over_y, SLOW
    elif name == "let go of {x}":
        anchor, height, gripper, speed = "y", over_y, RELEASE_OPENING, SLOW
    elif name == "leave {x}":
        anchor, gripper = "y", RELEASE_OPENING
    elif name == "done":
        anchor, gripper = (
            "tool",
            CLOSED if now.verb == "pick" else PUSH_OPENING if now.verb == "push" else RELEASE_OPENING,
        )
    else:
        gripper, yaw = PUSH_OPENING, math.atan2(ahead[1], ahead[0])
        offset = -ahead * (FACE + BEHIND)
        if name == "reach behind {x}":
            height = READY
        elif name == "go down behind {x}":
            height, speed = grasp_height(x), SLOW
        elif name == "push {x}":
            anchor, height, speed = "start of x", grasp_height(x), PUSHING
            offset = ahead * (length - FACE - FINGER_DEPTH)
        elif name == "leave {x} there":
            height = TRAVEL
    angle = FOLDS[subtask] * yaw
    row = np.array([*(offset * 10), height * 10, math.cos(angle), math.sin(angle), gripper / 0.04, speed / QUICK])
    assert len(row) == WAYPOINT_DIM
    return row, ANCHORS.index(anchor)
