"""System 1 of every policy whose System 2 sends rows of joint positions: it leads the arm onto them and along them."""

from __future__ import annotations

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.contract import Chunk, JointState, Plan
from vla_ros.policies.transition import Transition, check_rows
from vla_ros.time import NS_PER_S

ROW_S = 0.02
"""Between the rows of an "actions" plan, and of the chunks made from it."""
CHUNK_ROWS = 36
"""0.7 s."""


class ActionPlayer:
    """System 1 that plays an "actions" plan.

    Args:
        checkpoint: that of the System 2 whose plans it plays.
        transition: the way onto the rows.
    """

    dt_s = ROW_S

    def __init__(self, checkpoint: str, transition: Transition) -> None:
        self.checkpoint = checkpoint
        self._transition = transition

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        """Return the next 0.7 s; see `contract.System1`."""
        rows = np.asarray(plan.data, np.float64)
        check_rows(rows, len(joint_state.q))
        prefix_length = min(prefix_length, len(previous.positions))
        age_s = (start_ns - plan.frame_stamp_ns) / NS_PER_S
        count = max(CHUNK_ROWS, prefix_length)
        course = np.array([sample(rows, age_s + row * ROW_S) for row in range(-1, count + 1)])
        positions = self._transition.join(course, previous.positions, prefix_length, ROW_S)
        return Chunk(
            positions,
            ROW_S,
            start_ns,
            plan_id=plan.plan_id,
            frame_stamp_ns=plan.frame_stamp_ns,
            prefix_length=prefix_length,
        )


def sample(rows: Array, time_s: float, row_s: float = ROW_S) -> Array:
    """Return (n,): the rows, `row_s` apart, at `time_s`, by the cubic through the four around it; held beyond the ends."""
    at = min(max(time_s / row_s, 0.0), len(rows) - 1.0)
    index = int(at)
    u = at - index
    a, b, c, d = rows[np.clip(np.arange(index - 1, index + 3), 0, len(rows) - 1)]
    value: Array = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
    return value
