"""Position, velocity, acceleration and jerk together, on whole small grids: every state, every choice.

What docs/safety.md guarantees for one joint is checked here without sampling.
"""

from __future__ import annotations

import itertools

import pytest

from vla_ros.safety.joint import acceleration_limit, jerk_limit, velocity_limit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.joint.position_limit import PositionLimit

GRIDS = [TickLimits(0, 24, v, a, j) for v, a, j in [(3, 1, 1), (5, 2, 1), (6, 3, 1), (6, 3, 2), (7, 4, 3), (4, 5, 2)]]
GRIDS += [TickLimits(0, 24, 5, 2, 1, zone, slow) for zone, slow in [(6, 1), (10, 0), (3, 4), (12, 2)]]

State = tuple[int, int, int]


def rest_path(state: State, limits: TickLimits) -> list[State]:
    """The stop policy's states after `state`, to rest."""
    path = []
    q, v, a = state
    while (v, a) != (0, 0):
        a = jerk_limit.stop(v, a, limits.acceleration, limits.jerk)
        v += a
        q += v
        path.append((q, v, a))
        assert len(path) < 1000, "the stop policy does not come to rest"
    return path


def in_range(q: int, v: int, limits: TickLimits) -> bool:
    """Whether q is in the range, and v below the line from velocity at the slow zone's edge to slow_velocity at its end."""
    if not limits.lower <= q <= limits.upper:
        return False
    zone, slow = limits.slow_zone, limits.slow_velocity
    room = limits.upper - q if v > 0 else q - limits.lower
    return room >= zone or abs(v) * zone <= slow * zone + (limits.velocity - slow) * room


def inside(path: list[State], limits: TickLimits) -> bool:
    return all(in_range(q, v, limits) and abs(v) <= limits.velocity for q, v, _ in path)


def viable_states(limits: TickLimits) -> set[State]:
    states = itertools.product(
        range(limits.lower, limits.upper + 1),
        range(-limits.velocity, limits.velocity + 1),
        range(-limits.acceleration, limits.acceleration + 1),
    )
    return {state for state in states if inside([state, *rest_path(state, limits)], limits)}


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_the_stop_policy_keeps_acceleration_and_jerk_and_ends_at_rest_in_time(limits: TickLimits) -> None:
    allowed = jerk_limit.ticks_to_rest(limits.velocity, limits.acceleration, limits.jerk)
    for v in range(-limits.velocity, limits.velocity + 1):
        for a in range(-limits.acceleration, limits.acceleration + 1):
            if max(velocity_limit.peak(v, a, limits.jerk), velocity_limit.peak(-v, -a, limits.jerk)) > limits.velocity:
                continue
            path = [(0, v, a), *rest_path((0, v, a), limits)]
            assert len(path) - 1 <= allowed
            for (_, _, before), (_, speed, after) in itertools.pairwise(path):
                assert abs(after) <= limits.acceleration
                assert abs(after - before) <= limits.jerk
                assert abs(speed) <= limits.velocity


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_viable_decides_as_following_the_whole_path_does(limits: TickLimits) -> None:
    rule = PositionLimit(limits)
    for q in range(limits.lower - 2, limits.upper + 3):
        for v in range(-limits.velocity, limits.velocity + 1):
            for a in range(-limits.acceleration, limits.acceleration + 1):
                path = [(q, v, a), *rest_path((q, v, a), limits)]
                assert rule.viable(q, v, a) == all(in_range(p, speed, limits) for p, speed, _ in path)


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_reach_is_never_less_than_the_travel(limits: TickLimits) -> None:
    rule = PositionLimit(limits)
    for v in range(-30, 31):
        for a in range(-limits.acceleration, limits.acceleration + 1):
            furthest = max([0, *(q for q, _, _ in rest_path((0, v, a), limits))])
            assert rule.reach(v, a) >= furthest


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_the_set_of_actions_is_never_empty_and_leads_only_to_viable_states(limits: TickLimits) -> None:
    rule = PositionLimit(limits)
    viable = viable_states(limits)
    assert len(viable) > 100
    for q, v, a in viable:
        intervals = (
            velocity_limit.bounds(v, limits.velocity, limits.jerk),
            acceleration_limit.bounds(limits.acceleration),
            jerk_limit.bounds(a, limits.jerk),
        )
        low, high = max(low for low, _ in intervals), min(high for _, high in intervals)
        allowed = [x for x in range(low, high + 1) if rule.viable(q + v + x, v + x, x)]
        assert jerk_limit.stop(v, a, limits.acceleration, limits.jerk) in allowed
        for x in allowed:
            assert (q + v + x, v + x, x) in viable


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_following_any_target_from_any_viable_state_stays_viable(limits: TickLimits) -> None:
    viable = viable_states(limits)
    motion = JointMotion(limits)
    for q, v, a in viable:
        for target in (-1000, limits.lower, 5, 12, limits.upper, 1000):
            for target_v, speed in ((0, limits.velocity), (3, limits.velocity), (-50, max(1, limits.velocity // 2))):
                motion.place(0)
                motion.q, motion.v, motion.a = q, v, a
                rule = motion.follow(target, target_v, speed)
                assert (motion.q, motion.v, motion.a) in viable
                assert motion.v == v + motion.a
                assert motion.q == q + motion.v
                assert abs(motion.a - a) <= limits.jerk
                assert rule or motion.q == target


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_mirrored_states_choose_mirrored_actions(limits: TickLimits) -> None:
    motion, mirror = JointMotion(limits), JointMotion(limits)
    for q, v, a in viable_states(limits):
        for target in (-7, 3, 20, 40):
            motion.place(0)
            mirror.place(0)
            motion.q, motion.v, motion.a = q, v, a
            mirror.q, mirror.v, mirror.a = limits.upper - q, -v, -a
            assert motion.follow(target, 2, limits.velocity) == mirror.follow(
                limits.upper - target, -2, limits.velocity
            )
            assert (mirror.q, mirror.v, mirror.a) == (limits.upper - motion.q, -motion.v, -motion.a)


def test_what_is_plainly_far_is_viable_and_keeps_the_speed() -> None:
    """`_far` takes the short way in `follow`; whatever it says yes to, the long way says yes to."""
    limits = TickLimits(0, 400, 12, 2, 1)
    motion = JointMotion(limits)
    yes = 0
    for q, v, a in itertools.product(range(0, 401, 5), range(-12, 13), range(-2, 3)):
        for speed in (8, 12):
            if motion._far(q, v, speed):
                yes += 1
                assert motion.range.viable(q, v, a)
                assert max(velocity_limit.peak(v, a, limits.jerk), velocity_limit.peak(-v, -a, limits.jerk)) <= speed
                low, high = velocity_limit.bounds(v - a, speed, limits.jerk)
                assert low <= a <= high
                before = v - a  # the state one tick earlier, with any acceleration
                for earlier in range(-2, 3):
                    assert velocity_limit.peak(before, earlier, limits.jerk) <= speed
                    assert velocity_limit.peak(-before, -earlier, limits.jerk) <= speed
    assert yes > 200
