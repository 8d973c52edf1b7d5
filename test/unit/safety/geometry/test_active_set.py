"""Lower bounds of distances, and the rows that are looked at: none is too high, none is left out."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from vla_ros.safety.geometry.active_set import Neighbours, Row
from vla_ros.safety.geometry.clearance import Clearance
from vla_ros.safety.joint.joint_limits import NANO, TickLimits
from vla_ros.safety.joint.joint_motion import JointMotion

JOINTS, ROWS = 3, 40


@pytest.mark.parametrize("seed", range(10))
def test_what_may_matter_is_always_looked_at_and_no_bound_is_too_high(seed: int) -> None:
    """Whatever the joints cover, every row comes nearer by all that its reach allows."""
    draw = random.Random(seed)
    rows = [
        Row("rule", str(i), i, [draw.uniform(0.0, 1.0) for _ in range(JOINTS)], 0.01, draw.choice((0.0, 0.1)))
        for i in range(ROWS)
    ]
    near = Neighbours(rows, 0.0, [120_000] * JOINTS)
    reach = np.array([row.reach for row in rows])
    margin, slow = (np.array([getattr(row, name) for row in rows]) for name in ("margin_m", "slow_m"))
    distance = np.array([draw.uniform(0.2, 3.0) for _ in rows])
    near.known(np.arange(ROWS), distance)
    seen, speed = set(), 0
    for tick in range(600):
        speed = draw.choice((0, 10_000, 3_000_000)) if tick % 20 == 0 else speed
        ways = [draw.randrange(1 + 20 * speed) for _ in range(JOINTS)]
        if not near.suffice(ways):
            near.survey(ways)
        holds = distance - reach @ np.array(ways) / NANO < margin
        slows = (distance < margin + slow) & (slow > 0.0)
        assert set(np.flatnonzero(holds | slows)) <= set(near.rows)
        assert near.hold or not holds.any()
        seen.add(near.hold)
        steps = [draw.choice((-1, 1)) * draw.randrange(1 + min(speed, way)) for way in ways]
        near.moved(steps)
        distance -= reach @ np.abs(steps) / NANO
        assert near.bounds() == pytest.approx(distance, abs=1e-9)
    assert seen == {False, True}


class Wall:
    """An arm of one joint that turns towards a wall at 1 rad."""

    def place(self, q: list[float]) -> None:
        self.q = q[0]

    def distance(self, pair: int) -> float:
        return 1.0 - self.q


def test_a_candidate_that_is_suddenly_fast_is_looked_at() -> None:
    """The tick began with a joint at rest, far from the wall for all that was allowed for."""
    joint = JointMotion(TickLimits(-(10**10), 10**10, 10**8, 120_000, 120_000))
    arm: Any = Wall()
    clearance = Clearance(arm, [Row("fence", "wall", 0, [1.0], 0.01, 0.0)], [joint])
    assert clearance.restart() is None
    clearance.begin()
    assert not clearance.near.hold
    joint.q = joint.v = 30_000_000  # 7.5 rad/s, 3.7 rad to rest
    found = clearance.refusal([(0, 0, 0)])
    assert found is not None
    assert found[0].what == "wall"


def test_what_is_near_at_the_start_slows_the_first_tick() -> None:
    joint = JointMotion(TickLimits(-(10**10), 10**10, 10**8, 120_000, 120_000))
    joint.place(700_000_000)
    arm: Any = Wall()
    row = Row("fence", "wall", 0, [1.0], 0.01, 0.5)
    clearance = Clearance(arm, [row], [joint])
    assert clearance.restart() is None
    clearance.begin()
    assert clearance.speed() == (577, row)  # (0.3 - 0.01 - 0.001) / 0.5
