"""The arm among things that it must not touch, judged by the independent oracle: at every output and between outputs."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from test.campaign.adversary import attack, stream
from test.campaign.surroundings import LIMITS, SurroundedArm, random_obstacle, random_surroundings, wander

ONLY_OBSTACLES = {**LIMITS, "obstacle.margin_m": 0.0}


@pytest.mark.parametrize("seed", range(6))
def test_the_filter_and_the_oracle_agree_on_how_far_an_obstacle_is(seed: int) -> None:
    """Of every shape, however turned, also when another shape was shown in its place before."""
    draw = random.Random(seed)
    arm = SurroundedArm(ONLY_OBSTACLES)
    for i in range(6):
        obstacle = random_obstacle(draw, f"o{i}")
        spare = arm.clearances(np.array([arm.q]), [obstacle])["obstacle"][0]
        if spare < 0.0:
            continue
        arm.obstacles = [obstacle]
        arm.tick()
        arm.filter.reset(arm.now_ns)
        arm.measure()
        if arm.filter.arm(arm.now_ns)[0]:
            nearest = arm.filter.nearest()
            assert nearest is not None
            assert nearest.distance_m == pytest.approx(spare, abs=1e-5), obstacle
            arm.filter.disarm()


@pytest.mark.parametrize("seed", [1, 4])
def test_every_margin_is_kept_in_random_surroundings(seed: int, judged: Callable[[str], None]) -> None:
    draw = random.Random(seed)
    arm = SurroundedArm(random_surroundings(draw))
    arm.surround(draw, 6)
    attack(arm, draw, 700, (stream(wander),))
    arm.rest()
    arm.examine()
    spare = ", ".join(f"{rule} {least * 1e3:.3f}" for rule, least in arm.spare.items())
    judged(f"{arm.judged} configurations; least distance beyond each margin, mm: {spare}")
    assert arm.judged > 500
    assert min(arm.spare.values()) < 0.05, "the adversary did not come near"
