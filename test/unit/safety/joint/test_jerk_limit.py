"""The jerk limit, and the stop policy: on whole grids it keeps all it promises and ends at rest."""

from __future__ import annotations

import itertools

import pytest

from test.unit.safety.joint.grids import GRIDS, rest_path
from vla_ros.safety.joint.jerk_limit import JerkLimit, ticks_to_rest
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.velocity_limit import VelocityLimit


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_the_stop_policy_keeps_acceleration_and_jerk_and_ends_at_rest_in_time(limits: TickLimits) -> None:
    allowed = ticks_to_rest(limits.velocity, limits.acceleration, limits.jerk)
    velocity_limit = VelocityLimit(limits)
    for v in range(-limits.velocity, limits.velocity + 1):
        for a in range(-limits.acceleration, limits.acceleration + 1):
            if velocity_limit.peak_speed(v, a) > limits.velocity:
                continue
            path = [(0, v, a), *rest_path((0, v, a), limits)]
            assert len(path) - 1 <= allowed
            for (_, _, before), (_, speed, after) in itertools.pairwise(path):
                assert abs(after) <= limits.acceleration
                assert abs(after - before) <= limits.jerk
                assert abs(speed) <= limits.velocity


def test_the_bounds_are_the_limit_on_both_sides_of_the_acceleration() -> None:
    assert JerkLimit(TickLimits(0, 24, 6, 3, 2)).acceleration_bounds(4, -1, 6) == (-3, 1)


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_a_change_of_velocity_is_reached_without_overshoot(limits: TickLimits) -> None:
    """From rest, with the acceleration 0 when it is there, and at no time past it."""
    rule = JerkLimit(limits)
    for wanted in range(-20, 21):
        v = a = 0
        for _ in range(200):
            a = rule.acceleration_toward(wanted - v, a)
            v += a
            assert abs(v) <= abs(wanted)
        assert (v, a) == (wanted, 0)
