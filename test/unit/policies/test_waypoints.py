"""Waypoints survive a plan message, and broken ones are refused."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.policies.waypoints import Waypoint, pack, unpack

POSE = np.array([[0.0, -1, 0, 0.4], [1, 0, 0, 0.1], [0, 0, 1, 0.2], [0, 0, 0, 1]])


def test_what_is_packed_comes_back_in_the_order_of_its_indices() -> None:
    rows = pack([Waypoint(4, POSE, 0.01, 0.2), Waypoint(2, np.eye(4), 0.04, 0.3)])
    first, second = unpack(rows)
    assert (first.index, second.index) == (2, 4)
    assert second.T_base_tool == pytest.approx(POSE) and (second.gripper, second.speed) == (0.01, 0.2)


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [(0, 3, np.nan, "not finite"), (0, 7, 0.5, "unit length"), (0, 9, 0.0, "speeds positive")],
)
def test_a_broken_value_is_refused(row: int, column: int, value: float, reason: str) -> None:
    rows = pack([Waypoint(0, np.eye(4), 0.0, 0.1)])
    rows[row, column] = value
    with pytest.raises(ValueError, match=reason):
        unpack(rows)


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got shape \(2, 3\)"):
        unpack(np.zeros((2, 3)))
