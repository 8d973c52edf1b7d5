"""Chunk discontinuity: how much velocity and acceleration jump where one chunk follows another."""

from __future__ import annotations

import numpy as np

from vla_ros.policies.contract import Chunk
from vla_ros.time import NS_PER_S


def chunk_discontinuity(previous: Chunk, chunk: Chunk, now_ns: int) -> tuple[float, float]:
    """Return the largest jump of any joint when `chunk` replaces `previous` at `now_ns`.

    Both are differences of the points around the moment where the paths part: `now_ns`, or the end of the prefix of `chunk`,
    whichever is later.

    Args:
        previous: the chunk that plays.
        chunk: the one that replaces it, with the same spacing.
        now_ns: ROS time, ns.

    Returns:
        of velocity, rad/s (m/s), and of acceleration, rad/s² (m/s²); NaN when the chunks do not overlap there.
    """
    dt_ns = round(chunk.dt_s * NS_PER_S)
    row = max(1, -(-(now_ns - chunk.start_ns) // dt_ns), chunk.prefix_length - 1)
    previous_row = row + (chunk.start_ns - previous.start_ns) // dt_ns
    if row + 1 >= len(chunk.positions) or previous_row < 2 or previous_row + 1 >= len(previous.positions):
        return float("nan"), float("nan")
    last = previous.positions[previous_row - 2 : previous_row + 1]
    steps = np.diff(last, axis=0)
    change = (chunk.positions[row + 1] - last[-1]) - steps[1]
    velocity = np.abs(change).max() / chunk.dt_s
    acceleration = np.abs(change - (steps[1] - steps[0])).max() / chunk.dt_s**2
    return float(velocity), float(acceleration)
