"""The swing begins at rest, keeps the limits, and is fast when the fault comes."""

from __future__ import annotations

import pytest

from vla_ros.lab.faults.swing import FULL_SPEED_S, swing
from vla_ros.sim.arm_description import ACCELERATION_LIMIT, HOME, JOINT_NAMES, VELOCITY_LIMIT


def test_the_swing_begins_at_rest_keeps_the_limits_and_is_fast_when_the_fault_comes() -> None:
    h = 1e-3
    for k in range(4000):
        before, here, after = (swing((k + i) * h) for i in range(3))
        for i, name in enumerate(JOINT_NAMES):
            assert abs(after[i] - here[i]) / h < VELOCITY_LIMIT[i] / 2, name
            assert abs(after[i] - 2 * here[i] + before[i]) / h**2 < ACCELERATION_LIMIT[i] / 2, name
    assert swing(0.0) == pytest.approx(HOME)
    fast = abs(swing(FULL_SPEED_S + h)[0] - swing(FULL_SPEED_S - h)[0]) / (2 * h)
    assert fast > 0.95
