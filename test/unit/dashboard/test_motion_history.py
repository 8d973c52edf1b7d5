"""The plots' ring of rows."""

from __future__ import annotations

import math

from vla_ros.dashboard.motion_history import MotionHistory


def test_rows_are_bounded_and_gaps_are_gaps() -> None:
    history = MotionHistory(2, duration_s=1.0, rate_hz=10.0)
    for i in range(25):
        history.add(i / 10, [1.0, 2.0], [1.23456, math.nan], [], [3.0])
    rows = history.rows()
    assert len(rows) == 10
    assert rows[-1] == [2.4, 1.0, 2.0, 1.2346, None, None, None, None, None]
