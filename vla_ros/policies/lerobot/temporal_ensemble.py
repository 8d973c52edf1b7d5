"""Each row of a chunk as a mean of all chunks that have predicted its time.

At a pause, as when the gripper closes, what the robot is and sees does not tell how long the pause has lasted: a policy that
begins anew at each moment may stay in it for ever. The chunks from before the pause still say when it ends.

Source: T. Zhao et al., Learning Fine-Grained Bimanual Manipulation with Low-Cost Hardware, algorithm 2; weights and their
order are those of LeRobot's `ACTTemporalEnsembler`.
"""

from __future__ import annotations

import numpy as np

from vla_ros.arrays import Array
from vla_ros.time import NS_PER_S


class TemporalEnsemble:
    """Remembers the chunks of one instruction.

    Args:
        coefficient: the i-th prediction of a time, oldest first, has the weight exp(-coefficient i).
        rate_hz: rows of a chunk per second.
    """

    def __init__(self, coefficient: float, rate_hz: float) -> None:
        self._coefficient, self._rate_hz = coefficient, rate_hz
        self._chunks: list[tuple[int, Array]] = []

    def clear(self) -> None:
        """Forget all chunks."""
        self._chunks.clear()

    def add(self, stamp_ns: int, chunk: Array) -> Array:
        """Return the mean of a chunk (T, width), whose first row is due at `stamp_ns`, and of those before it.

        Between the rows of an earlier chunk lies a straight line. An earlier chunk that does not begin before is forgotten.
        """
        duration_ns = len(chunk) / self._rate_hz * NS_PER_S
        self._chunks = [
            (at, rows) for at, rows in self._chunks if 0 < stamp_ns - at < duration_ns and rows.shape == chunk.shape
        ]
        self._chunks.append((stamp_ns, chunk))
        rows = np.arange(len(chunk))
        total, weights = np.zeros_like(chunk), np.zeros(len(chunk))
        order = np.zeros(len(chunk))
        for at_ns, earlier in self._chunks:
            where = rows + (stamp_ns - at_ns) / NS_PER_S * self._rate_hz
            covered = where <= len(chunk) - 1 + 1e-6
            weight = np.where(covered, np.exp(-self._coefficient * order), 0.0)
            below = np.minimum(where.astype(np.intp), len(chunk) - 1)
            above, share = np.minimum(below + 1, len(chunk) - 1), (where - below)[:, None]
            total += weight[:, None] * (earlier[below] * (1.0 - share) + earlier[above] * share)
            weights += weight
            order += covered
        mean: Array = total / weights[:, None]
        return mean
