"""The last seconds of proposed and granted motion, for the plots."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

HistoryRow = list[float | None]

DIGITS = 4  # decimals of rad, m and their rates: 0.1 mrad is finer than a pixel


class MotionHistory:
    """Rows of [time_s, proposed q, granted q, proposed dq, granted dq], one number per joint each.

    Args:
        joints: number of joints.
        duration_s: time that is kept, s.
        rate_hz: rows per second.
    """

    def __init__(self, joints: int, duration_s: float, rate_hz: float) -> None:
        self._joints = joints
        self._rows: deque[HistoryRow] = deque(maxlen=max(2, round(duration_s * rate_hz)))

    def add(self, time_s: float, *series: Sequence[float]) -> HistoryRow:
        """Append a row and return it; a series that is empty (nothing is proposed, nothing is sent) leaves a gap.

        Args:
            time_s: seconds since the start of the dashboard.
            series: q proposed, q granted, dq proposed, dq granted; (n,) each or empty.
        """
        row: HistoryRow = [round(time_s, 3)]
        for values in series:
            row += [rounded(value) for value in values] if len(values) == self._joints else [None] * self._joints
        self._rows.append(row)
        return row

    def rows(self) -> list[HistoryRow]:
        """Return all rows, oldest first."""
        return list(self._rows)


def rounded(value: float, digits: int = DIGITS) -> float | None:
    """Round for the page; None for numbers that JSON cannot hold (NaN, inf)."""
    return round(value, digits) if math.isfinite(value) else None
