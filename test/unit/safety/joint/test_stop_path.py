"""The stop path is the stop policy, tick by tick."""

from __future__ import annotations

import random

import pytest

from vla_ros.safety.joint.jerk_limit import JerkLimit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.joint_motion import JointMotion, JointOutput
from vla_ros.safety.joint.stop_path import StopPath


def steps(q: int, v: int, a: int, acceleration: int, jerk: int) -> list[tuple[int, int]]:
    """(position, distance covered) after 0, 1, ... ticks until rest."""
    found, covered = [(q, 0)], 0
    rule = JerkLimit(TickLimits(0, 0, 1, acceleration, jerk))
    while v or a:
        a = rule.stop_policy(v, a)
        v += a
        q += v
        covered += abs(v)
        found.append((q, covered))
    return found


def check(q: int, v: int, a: int, acceleration: int, jerk: int) -> None:
    path, expected = StopPath(q, v, a, acceleration, jerk), steps(q, v, a, acceleration, jerk)
    assert path.ticks == len(expected) - 1
    assert [(path.position(k), path.path_length(k)) for k in range(len(expected))] == expected
    assert (path.position(path.ticks + 5), path.path_length(path.ticks + 5)) == expected[-1]


@pytest.mark.parametrize(("acceleration", "jerk"), [(1, 1), (2, 1), (3, 1), (3, 2), (5, 2), (4, 9), (7, 3)])
def test_every_state_of_a_small_grid(acceleration: int, jerk: int) -> None:
    for v in range(-40, 41):
        for a in range(-acceleration, acceleration + 1):
            check(3, v, a, acceleration, jerk)


def test_states_of_a_real_arm() -> None:
    draw = random.Random(1)
    for _ in range(300):
        acceleration = draw.randint(1, 160_000)
        jerk = draw.randint(max(1, acceleration // 40), 70_000)
        v = draw.randint(-60 * acceleration, 60 * acceleration)
        check(draw.randint(-(10**9), 10**9), v, draw.randint(-acceleration, acceleration), acceleration, jerk)


def test_a_long_brake_is_few_segments() -> None:
    path = StopPath(0, 8_700_000, 0, 60_000, 24_000)
    assert path.ticks > 140
    assert len(path._segments) < 12


@pytest.mark.parametrize(("velocity", "acceleration", "jerk"), [(6, 2, 1), (30, 5, 2), (9, 4, 9), (50, 12, 1)])
def test_the_path_to_rest_is_never_longer_than_its_bound(velocity: int, acceleration: int, jerk: int) -> None:
    motion = JointMotion(TickLimits(-(10**6), 10**6, velocity, acceleration, jerk))
    for v in range(-velocity, velocity + 1):
        for a in range(-acceleration, acceleration + 1):
            assert motion.stop_path_length(JointOutput(0, v, a)) >= abs(v) + steps(0, v, a, acceleration, jerk)[-1][1]


@pytest.mark.parametrize(
    ("v", "a", "bound"),
    [
        (0, 0, 0),
        (10, 3, 10 + 11 * (6 + 2) + (11 + 7 + 3)),  # the acceleration still adds 1 while it runs out
        (10, -3, 10 + 10 * (6 + 2) + (10 + 6 + 2)),  # against the motion it adds nothing
        (2, -4, 2 + 2 * (6 + 2) + 2),
        (1, -4, 1 + (1 + 1) * (6 + 2) + 1 + 1),  # it turns the motion round: 1 on, then back with a speed of 1
        (0, 3, 0 + 1 * (6 + 2) + 1),
    ],
)
def test_the_bound_is_the_sum_of_ramps_and_full_brake(v: int, a: int, bound: int) -> None:
    """speed + peak (2 A / J + 2 + a / J) + stopping distance, with A = 4 and J = 2; the same mirrored."""
    motion = JointMotion(TickLimits(-(10**6), 10**6, 100, 4, 2))
    assert motion.stop_path_length(JointOutput(0, v, a)) == bound
    assert motion.stop_path_length(JointOutput(0, -v, -a)) == bound


def test_the_changes_of_acceleration_are_those_of_the_ticks() -> None:
    path = StopPath(3, 4321, -17, 60, 7)
    changes = dict(zip(*path.acceleration_steps(), strict=True))
    v, a = 4321, 0
    for k in range(path.ticks):
        a += changes.get(k, 0)
        v += a
        assert path.position(k + 1) - path.position(k) == v
    assert a + changes[path.ticks] == 0
