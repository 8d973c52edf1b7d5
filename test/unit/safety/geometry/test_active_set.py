"""Lower bounds of distances, and the pairs that are looked at: none is too high, none is left out."""

from __future__ import annotations

import random

import numpy as np
import pytest

from vla_ros.safety.geometry.active_set import ActiveSet, DistancePair
from vla_ros.safety.joint.joint_limits import NANO

JOINTS, PAIRS = 3, 40


@pytest.mark.parametrize("seed", range(10))
def test_what_may_matter_is_always_active_and_no_bound_is_too_high(seed: int) -> None:
    """Whatever the joints travel, every pair comes nearer by all that its lever arms allow."""
    draw = random.Random(seed)
    pairs = [
        DistancePair("rule", str(i), i, [draw.uniform(0.0, 1.0) for _ in range(JOINTS)], 0.01, draw.choice((0.0, 0.1)))
        for i in range(PAIRS)
    ]
    active_set = ActiveSet(pairs, 0.0, [120_000] * JOINTS)
    state = active_set.initial()
    lever_arms = np.array([pair.lever_arm_bounds for pair in pairs])
    margin, slow = (np.array([getattr(pair, name) for pair in pairs]) for name in ("margin_m", "slow_m"))
    distance = np.array([draw.uniform(0.2, 3.0) for _ in pairs])
    active_set.set_distances(state, np.arange(PAIRS), distance)
    seen, speed = set(), 0
    for tick in range(600):
        speed = draw.choice((0, 10_000, 3_000_000)) if tick % 20 == 0 else speed
        lengths = [draw.randrange(1 + 20 * speed) for _ in range(JOINTS)]
        if not active_set.covers(state, lengths):
            active_set.refresh(state, lengths)
        holds = distance - lever_arms @ np.array(lengths) / NANO < margin
        slows = (distance < margin + slow) & (slow > 0.0)
        assert set(np.flatnonzero(holds | slows)) <= set(state.active)
        assert state.may_hold or not holds.any()
        seen.add(state.may_hold)
        steps = [draw.choice((-1, 1)) * draw.randrange(1 + min(speed, length)) for length in lengths]
        active_set.arm_moved(state, steps)
        distance -= lever_arms @ np.abs(steps) / NANO
        assert active_set.distance_bounds(state) == pytest.approx(distance, abs=1e-9)
    assert seen == {False, True}


def test_a_shape_that_moves_lowers_its_bounds_and_one_that_goes_takes_its_pairs_out_of_use() -> None:
    pairs = [DistancePair("obstacle", str(i), i, [1.0], 0.0, 0.0) for i in range(4)]
    active_set = ActiveSet(pairs, 0.0, [1])
    state = active_set.initial()
    active_set.set_distances(state, np.arange(4), np.full(4, 2.0))
    active_set.shapes_moved(state, 1, 2, 0.5)
    assert active_set.distance_bounds(state) == pytest.approx([2.0, 1.5, 1.5, 2.0])
    active_set.shapes_replaced(state, 2, 2, in_use=False)
    assert np.flatnonzero(state.in_use).tolist() == [0, 1]
    active_set.shapes_replaced(state, 2, 1, in_use=True)
    active_set.refresh(state, [0])
    assert state.active.tolist() == [2], "nothing is known of a new shape: it may be anywhere"
