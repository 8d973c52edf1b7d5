"""How a chunk is made to agree with the one that plays: weights and gain of the guidance, without a model.

Flow time tau runs from 0 (noise) to 1 (actions) here, as in the papers.

Source: Black et al., "Real-Time Execution of Action Chunking Flow Policies", arXiv 2506.07339, equations 2 to 5.
"""

from __future__ import annotations

import numpy as np

from vla_ros.arrays import Array

SCHEDULES = ("exponential", "linear", "ones", "zeros")
FORMS = ("off", "guidance", "trained")
"""guidance: for checkpoints that were not trained with prefixes; trained: for those that were (arXiv 2512.05964)."""


def prefix_weights(prefix_length: int, overlap: int, rows: int, schedule: str) -> Array:
    """Return (rows,) how much each row is to agree with the previous chunk.

    1 for the committed rows, 0 for rows that the previous chunk does not have or that are free, and between them
    c = (overlap - i) / (overlap - prefix_length + 1) falling, or c (e^c - 1) / (e - 1) ("exponential").

    Args:
        prefix_length: rows that are played while the new chunk is computed.
        overlap: rows after which the new chunk is free.
        rows: of a chunk.
        schedule: one of SCHEDULES; "ones": 1 up to `overlap`, "zeros": 0 from `prefix_length` on.
    """
    overlap = min(overlap, rows)
    prefix_length = min(prefix_length, overlap)
    i = np.arange(rows)
    falling = np.clip((overlap - i) / (overlap - prefix_length + 1), 0.0, 1.0)
    if schedule == "exponential":
        falling = falling * np.expm1(falling) / (np.e - 1)
    elif schedule == "ones":
        falling = np.ones(rows)
    elif schedule == "zeros":
        falling = np.zeros(rows)
    return np.where(i < prefix_length, 1.0, np.where(i < overlap, falling, 0.0))


def guidance_gain(tau: float, largest: float) -> float:
    """Return min(largest, (1 - tau) / tau / r^2) with r^2 = (1 - tau)^2 / (tau^2 + (1 - tau)^2).

    Args:
        tau: flow time, 0 to below 1.
        largest: the clip beta; without it the gain has no bound at tau = 0.
    """
    if tau <= 0.0:
        return largest
    return min(largest, (1.0 - tau) / tau * (tau**2 + (1.0 - tau) ** 2) / (1.0 - tau) ** 2)
