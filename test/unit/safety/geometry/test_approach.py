"""How fast may the arm near a boundary?"""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.safety.geometry.approach import Approach
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, per_tick
from vla_ros.safety.joint.stop_path import StopPath

PERIOD_S = 0.004
LIMITS = [JointLimits(f"j{i}", -3.0, 3.0, 2.0, brake, 100 * brake) for i, brake in enumerate((4.0, 8.0, 2.0))]


@pytest.fixture
def approach() -> Approach:
    return Approach(LIMITS, PERIOD_S)


def way(approach: Approach, rates: np.ndarray) -> np.ndarray:
    """(n,) rad that each joint goes with its brake built up, held and released."""
    found: np.ndarray = np.abs(rates) * (approach.ramps_s + np.abs(rates) / (2 * approach.brakes))
    return found


@pytest.mark.parametrize("room", [0.0, 0.001, 0.05, 0.2, 5.0])
def test_who_nears_the_boundary_comes_to_rest_before_it(approach: Approach, room: float) -> None:
    gradients, rates = np.array([[-0.5, 0.4, 0.0]]), np.array([1.0, -2.0, 1.0])
    left = approach.permille(gradients, rates, np.zeros(3), np.array([room])) / 1000
    assert left[0] == left[1] and left[2] == 1.0
    assert (way(approach, left * rates) @ np.abs(gradients[0])) <= room
    assert (left[0] >= 1.0) == (room > 0.1)


def test_who_leaves_it_makes_room_only_as_it_moves(approach: Approach) -> None:
    gradients, rates, room = np.array([[-1.0, 1.0, 0.0]]), np.array([0.5, 0.5, 0.0]), np.array([0.0])
    assert approach.permille(gradients, rates, np.zeros(3), room).tolist() == [0, 1000, 1000]
    along = np.array([[-1.0, 2.0, 0.0]])
    assert approach.permille(along, rates, rates, room).tolist() == [1000, 1000, 1000]
    assert approach.permille(gradients, rates, np.array([0.0, -0.5, 0.0]), np.array([0.01]))[0] == 0, "it comes still"


def test_each_boundary_counts_and_none_slows_nothing(approach: Approach) -> None:
    rates, now = np.array([1.0, 1.0, 1.0]), np.zeros(3)
    gradients, rooms = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), np.array([0.01, 0.001])
    left = approach.permille(gradients, rates, now, rooms)
    assert 0 < left[1] < left[0] < left[2] == 1000
    assert approach.permille(np.empty((0, 3)), rates, now, np.empty(0)).tolist() == [1000] * 3


def test_the_reach_is_that_of_the_faster_rates(approach: Approach) -> None:
    slow, fast = np.array([0.1, -0.2, 0.0]), np.array([-1.0, 0.1, 0.3])
    assert approach.reach(slow, fast) == pytest.approx(np.maximum(way(approach, slow), way(approach, fast)))


@pytest.mark.parametrize("rate", [0.05, 0.7, -2.0])
def test_the_reach_covers_a_step_and_the_way_of_the_stop_policy_and_not_much_more(
    approach: Approach, rate: float
) -> None:
    rates, found = np.full(3, rate), []
    for joint in LIMITS:
        per = per_tick(joint, PERIOD_S)
        path = StopPath(0, int(rate * PERIOD_S * NANO), 0, per.acceleration, per.jerk)
        found.append(path.path_length(path.ticks) / NANO)
    spare_s = (approach.reach(rates, np.zeros(3)) - found) / abs(rate)
    jerk_ramps_s = [joint.acceleration / joint.jerk for joint in LIMITS]
    assert (spare_s > PERIOD_S).all(), "the step comes before the brake"
    assert (spare_s <= np.add(jerk_ramps_s, 2 * PERIOD_S)).all()
