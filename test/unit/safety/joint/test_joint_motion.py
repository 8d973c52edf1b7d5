"""Position, velocity, acceleration and jerk together, on whole small grids: every state, every choice.

What docs/safety.md guarantees for one joint is checked here, and in the files of its limits, without sampling.
"""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from test.unit.safety.joint.grids import GRIDS, viable_states
from vla_ros.arrays import Array
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.joint_motion import JointMotion, JointOutput
from vla_ros.safety.joint.position_limit import PositionLimit
from vla_ros.safety.joint.velocity_limit import VelocityLimit


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_following_any_target_from_any_viable_state_stays_viable(limits: TickLimits) -> None:
    viable = viable_states(limits)
    motion = JointMotion(limits)
    for q, v, a in viable:
        for target in (-1000, limits.lower, 5, 12, limits.upper, 1000):
            for target_v, max_speed in (
                (0, limits.velocity),
                (3, limits.velocity),
                (-50, max(1, limits.velocity // 2)),
            ):
                joint = JointOutput(q, v, a)
                rule = motion.follow(joint, target, target_v, max_speed)
                assert (joint.q, joint.v, joint.a) in viable
                assert joint.v == v + joint.a
                assert joint.q == q + joint.v
                assert abs(joint.a - a) <= limits.jerk
                assert rule or joint.q == target


@pytest.mark.parametrize("limits", GRIDS, ids=str)
def test_mirrored_states_choose_mirrored_actions(limits: TickLimits) -> None:
    motion = JointMotion(limits)
    for q, v, a in viable_states(limits):
        for target in (-7, 3, 20, 40):
            joint, mirror = JointOutput(q, v, a), JointOutput(limits.upper - q, -v, -a)
            rule = motion.follow(joint, target, 2, limits.velocity)
            assert rule == motion.follow(mirror, limits.upper - target, -2, limits.velocity)
            assert (mirror.q, mirror.v, mirror.a) == (limits.upper - joint.q, -joint.v, -joint.a)


def test_what_is_clearly_viable_is_viable_and_keeps_the_speed() -> None:
    """`follow` takes a short way when it says yes; whatever it says yes to, the long way says yes to."""
    limits = TickLimits(0, 400, 12, 2, 1)
    motion, position_limit, velocity_limit = JointMotion(limits), PositionLimit(limits), VelocityLimit(limits)
    yes = 0
    for q, v, a in itertools.product(range(0, 401, 5), range(-12, 13), range(-2, 3)):
        for max_speed in (8, 12):
            if motion.clearly_viable(q, v, max_speed):
                yes += 1
                assert position_limit.viable(q, v, a)
                assert velocity_limit.peak_speed(v, a) <= max_speed
                before = v - a  # the state one tick earlier, with any acceleration
                low, high = velocity_limit.acceleration_bounds(before, 0, max_speed)
                assert low <= a <= high
                for earlier in range(-2, 3):
                    assert velocity_limit.peak_speed(before, earlier) <= max_speed
    assert yes > 200


def test_clearly_viable_begins_where_its_bound_says() -> None:
    """With A = 4 and J = 2 an acceleration runs out in N = 2 ticks: it adds at most A (N + 1) = 12 to the speed.

    The arm rests after at most V / A + 3 N + 3 = 34 ticks.
    """
    motion = JointMotion(TickLimits(-5000, 5000, 100, 4, 2, 100, 10))
    speed, rise, ticks, zone = 10, 12, 34, 100
    assert motion.clearly_viable(0, speed, speed + 2 * rise)
    assert not motion.clearly_viable(0, speed, speed + 2 * rise - 1)
    nearest = 5000 - (speed + rise) * ticks - zone
    for q, clear in ((nearest, True), (nearest + 1, False), (-nearest, True), (-nearest - 1, False)):
        assert motion.clearly_viable(q, speed, 100) is clear


@pytest.mark.parametrize(("zone", "slow"), [(900, 0), (500, 12), (40, 0)])
def test_a_slow_zone_holds_between_the_outputs(zone: int, slow: int) -> None:
    """Of the spline whose control points they are, and of the straight lines between them, at every instant.

    The narrowest zone is as wide as a tick at full speed is long: see "Between the outputs" in docs/safety.md.
    """
    limits = TickLimits(0, 6000, 40, 4, 1, zone, slow)
    motion, joint, draw = JointMotion(limits), JointOutput(3000, 0, 0), random.Random(zone)
    outputs, target = [], 0
    for k in range(1500):
        if k % 97 == 0 or draw.random() < 0.01:
            target = draw.choice((-500, 20, 300, 3000, 5700, 5990, 6500))
        motion.follow(joint, target, 0, limits.velocity)
        outputs.append(joint.q)
    P = np.lib.stride_tricks.sliding_window_view(np.array(outputs, float), 4)
    shares = []
    for u in np.linspace(0.0, 1.0, 9):
        cubic = [(1 - u) ** 3 / 6, (3 * u**3 - 6 * u**2 + 4) / 6, (-3 * u**3 + 3 * u**2 + 3 * u + 1) / 6, u**3 / 6]
        quadratic = [(1 - u) ** 2 / 2, (1 + 2 * u - 2 * u**2) / 2, u**2 / 2]
        shares.append(_zone_share(limits, P @ cubic, np.diff(P, axis=1) @ quadratic))
        line = P[:, 0] + u * (P[:, 1] - P[:, 0])
        shares.append(_zone_share(limits, line, P[:, 1] - P[:, 0]))
    assert 0.9 < max(shares) <= 1.0 + 1e-9


def _zone_share(limits: TickLimits, q: Array, v: Array) -> float:
    """Largest share of the speed that the slow zones allow at q, for v towards an end of the range, both per tick."""
    room = np.where(v > 0, limits.upper - q, q - limits.lower)
    extra = (limits.velocity - limits.slow_velocity) * np.minimum(1.0, room / limits.slow_zone)
    return float((np.abs(v) / np.maximum(limits.slow_velocity + extra, 1e-9)).max())
