"""The newest seconds of proposed and granted motion, for the plots."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

Row = list[float | None]

DIGITS = 4  # of rad, m and their rates: a tenth of a milliradian is finer than a pixel


class History:
    """Rows of [time_s, proposed q, granted q, proposed dq, granted dq], one number per joint each.

    Args:
        joints: number of joints.
        seconds: how far back. rate_hz: rows per second.
    """

    def __init__(self, joints: int, seconds: float, rate_hz: float) -> None:
        self._joints = joints
        self._rows: deque[Row] = deque(maxlen=max(2, round(seconds * rate_hz)))

    def add(self, time_s: float, *series: Sequence[float]) -> Row:
        """Append a row; a series that is empty (nothing is proposed, nothing is sent) leaves a gap.

        Args:
            time_s: seconds since the start of the dashboard.
            series: q proposed, q granted, dq proposed, dq granted; (n,) each or empty.
        """
        row: Row = [round(time_s, 3)]
        for values in series:
            row += [rounded(value) for value in values] if len(values) == self._joints else [None] * self._joints
        self._rows.append(row)
        return row

    def rows(self) -> list[Row]:
        """All rows, oldest first."""
        return list(self._rows)


def rounded(value: float, digits: int = DIGITS) -> float | None:
    """Round for the page; None for what JSON has no word for."""
    return round(value, digits) if math.isfinite(value) else None
