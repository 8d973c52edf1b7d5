"""The stop path is the stop policy, tick by tick."""

from __future__ import annotations

import random

import pytest

from vla_ros.safety.joint import jerk_limit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.joint.stop_path import StopPath


def steps(q: int, v: int, a: int, acceleration: int, jerk: int) -> list[tuple[int, int]]:
    """(position, distance covered) after 0, 1, ... ticks until rest."""
    found, covered = [(q, 0)], 0
    while v or a:
        a = jerk_limit.stop(v, a, acceleration, jerk)
        v += a
        q += v
        covered += abs(v)
        found.append((q, covered))
    return found


def check(q: int, v: int, a: int, acceleration: int, jerk: int) -> None:
    path, expected = StopPath(q, v, a, acceleration, jerk), steps(q, v, a, acceleration, jerk)
    assert path.ticks == len(expected) - 1
    assert [(path.at(k), path.travelled(k)) for k in range(len(expected))] == expected
    assert (path.at(path.ticks + 5), path.travelled(path.ticks + 5)) == expected[-1]


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


def test_a_long_brake_is_few_stretches() -> None:
    path = StopPath(0, 8_700_000, 0, 60_000, 24_000)
    assert path.ticks > 140
    assert len(path._stretches) < 12


@pytest.mark.parametrize(("velocity", "acceleration", "jerk"), [(6, 2, 1), (30, 5, 2), (9, 4, 9), (50, 12, 1)])
def test_the_way_to_rest_is_never_longer_than_its_bound(velocity: int, acceleration: int, jerk: int) -> None:
    joint = JointMotion(TickLimits(-(10**6), 10**6, velocity, acceleration, jerk))
    for v in range(-velocity, velocity + 1):
        for a in range(-acceleration, acceleration + 1):
            joint.q, joint.v, joint.a = 0, v, a
            assert joint.way() >= abs(v) + steps(0, v, a, acceleration, jerk)[-1][1]
