"""The velocity limit holds for as long as an acceleration needs to run out."""

from __future__ import annotations

import pytest

from test.unit.safety.joint.grids import GRIDS
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.velocity_limit import VelocityLimit


def run_out(v: int, a: int, jerk: int) -> list[int]:
    """The velocities from v on while |a| falls by the jerk limit."""
    velocities = [v]
    while a:
        a = max(0, a - jerk) if a > 0 else min(0, a + jerk)
        velocities.append(velocities[-1] + a)
    return velocities


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_an_acceleration_is_within_the_bounds_exactly_when_it_runs_out_below_the_limit(limits: TickLimits) -> None:
    rule = VelocityLimit(limits)
    for max_speed in (limits.velocity, limits.velocity // 2 + 1):
        for v in range(-max_speed, max_speed + 1):
            low, high = rule.acceleration_bounds(v, 0, max_speed)
            assert low <= 0 <= high
            for a in range(-3 * limits.velocity, 3 * limits.velocity + 1):
                kept = all(abs(velocity) <= max_speed for velocity in run_out(v + a, a, limits.jerk))
                assert kept is (low <= a <= high)


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_the_peak_is_the_largest_velocity_while_the_acceleration_runs_out(limits: TickLimits) -> None:
    rule = VelocityLimit(limits)
    for v in range(-limits.velocity, limits.velocity + 1):
        for a in range(-limits.acceleration, limits.acceleration + 1):
            velocities = run_out(v, a, limits.jerk)
            assert rule.peak_velocity(v, a) == max(velocities)
            assert rule.peak_speed(v, a) == max(abs(velocity) for velocity in velocities)
