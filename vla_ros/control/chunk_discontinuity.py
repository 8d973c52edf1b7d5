"""How rough the change from one chunk to the next is."""

from __future__ import annotations

import numpy as np

from vla_ros.policies.contract import Chunk
from vla_ros.time import NS_PER_S


def seam(old: Chunk, new: Chunk, now_ns: int) -> tuple[float, float]:
    """Return the largest jump of velocity (per s) and of acceleration (per s^2) when `new` replaces `old` at `now_ns`.

    Both are differences of the points around the moment where the paths part: `now_ns`, or the last point that the new
    chunk took over, whichever is later. NaN when the chunks do not overlap there.
    """
    dt_ns = round(new.dt_s * NS_PER_S)
    new_row = max(1, -(-(now_ns - new.start_ns) // dt_ns), new.frozen - 1)
    old_row = new_row + (new.start_ns - old.start_ns) // dt_ns
    if new_row + 1 >= len(new.positions) or old_row < 2 or old_row + 1 >= len(old.positions):
        return float("nan"), float("nan")
    before = old.positions[old_row] - old.positions[old_row - 1]
    after = new.positions[new_row + 1] - old.positions[old_row]
    before_that = old.positions[old_row - 1] - old.positions[old_row - 2]
    velocity = np.abs(after - before).max() / new.dt_s
    acceleration = np.abs((after - before) - (before - before_that)).max() / new.dt_s**2
    return float(velocity), float(acceleration)
