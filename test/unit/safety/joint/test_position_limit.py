"""The position limit on whole grids: its closed bounds never say more than following the stop policy does."""

from __future__ import annotations

import pytest

from test.unit.safety.joint.grids import GRIDS, in_range, rest_path, viable_states
from vla_ros.safety.joint.acceleration_limit import AccelerationLimit
from vla_ros.safety.joint.jerk_limit import JerkLimit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.position_limit import PositionLimit
from vla_ros.safety.joint.velocity_limit import VelocityLimit


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_viable_decides_as_following_the_whole_path_does(limits: TickLimits) -> None:
    rule = PositionLimit(limits)
    for q in range(limits.lower - 2, limits.upper + 3):
        for v in range(-limits.velocity, limits.velocity + 1):
            for a in range(-limits.acceleration, limits.acceleration + 1):
                path = [(q, v, a), *rest_path((q, v, a), limits)]
                assert rule.viable(q, v, a) == all(in_range(p, speed, limits) for p, speed, _ in path)


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_the_stop_distance_is_never_more_than_its_bound(limits: TickLimits) -> None:
    rule = PositionLimit(limits)
    for v in range(-30, 31):
        for a in range(-limits.acceleration, limits.acceleration + 1):
            furthest = max([0, *(q for q, _, _ in rest_path((0, v, a), limits))])
            assert rule.stop_distance_bound(v, a) >= furthest


def test_the_bound_is_the_documented_sum() -> None:
    """p (m + 2 N + 1) + stopping_distance(p, A), with A = 4 and J = 2, so N = 2."""
    rule = PositionLimit(TickLimits(0, 10**6, 100, 4, 2))
    assert rule.stop_distance_bound(10, 3) == 11 * (2 + 4 + 1) + (11 + 7 + 3)
    assert rule.stop_distance_bound(10, -3) == 10 * (0 + 4 + 1) + (10 + 6 + 2)
    assert rule.stop_distance_bound(-10, 3) == 0


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_the_set_of_actions_is_never_empty_and_leads_only_to_viable_states(limits: TickLimits) -> None:
    rule, jerk_limit = PositionLimit(limits), JerkLimit(limits)
    rules = VelocityLimit(limits), AccelerationLimit(limits), jerk_limit
    viable = viable_states(limits)
    assert len(viable) > 100
    for q, v, a in viable:
        intervals = [each.acceleration_bounds(v, a, limits.velocity) for each in rules]
        low, high = max(low for low, _ in intervals), min(high for _, high in intervals)
        allowed = [x for x in range(low, high + 1) if rule.viable(q + v + x, v + x, x)]
        assert jerk_limit.stop_policy(v, a) in allowed
        for x in allowed:
            assert (q + v + x, v + x, x) in viable


def test_the_speed_falls_linearly_in_a_slow_zone() -> None:
    rule = PositionLimit(TickLimits(0, 1000, 50, 5, 1, 100, 10))
    assert [rule.max_speed_at(distance) for distance in (-5, 0, 50, 99, 100, 500)] == [10, 10, 30, 49, 50, 50]
    assert PositionLimit(TickLimits(0, 1000, 50, 5, 1)).max_speed_at(0) == 50


def test_the_approach_speed_is_the_largest_whose_braking_fits() -> None:
    """v^2 / (2 A) + v (N + 3/2) <= distance < the same of v + 1."""
    a, n = 60, 3
    rule = PositionLimit(TickLimits(0, 10**6, 10**4, a, 24))
    for distance in (1, 50, 270, 271, 5000, 123_456):
        v = rule.approach_speed(distance)
        assert v * v / (2 * a) + v * (n + 1.5) <= distance < (v + 1) ** 2 / (2 * a) + (v + 1) * (n + 1.5)
    assert rule.approach_speed(0) == rule.approach_speed(-7) == 0
