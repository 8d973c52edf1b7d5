"""Obstacles appear, jump and vanish while the arm moves. The judge measures each body against each obstacle by itself.

An obstacle that comes to a moving arm may be met while the arm brakes. From the first output at rest on, no body that is
within the margin comes nearer, and no other one comes within it. An obstacle that stood before is never met.
"""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from test.campaign.surroundings import LIMITS, URDF, SurroundedArm, random_obstacle, solid, wander
from test.unit.safety.simulated_arm import OFF, Arm, forward
from vla_ros.arrays import Array
from vla_ros.oracle import Oracle
from vla_ros.oracle.pair_distances import LinkPoses, PairDistances
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.states import ACTIVE
from vla_ros.sim.arm_description import HOME

MARGIN_M = 0.02
ONLY_OBSTACLES = {**LIMITS, "obstacle.margin_m": MARGIN_M, "obstacle.slow_m": 0.1}
ROUNDING_M = 3e-6
"""coal's distances are exact to 1e-6 m."""


class Judge:
    """Measures every output. floors: obstacle → distance that each body keeps from it, m; NaN: the arm still brakes for it.

    near: pairs within the margin, over all outputs. spare: least distance beyond a floor, m.
    """

    def __init__(self, arm: SurroundedArm) -> None:
        self.arm = arm
        self.floors: dict[Obstacle, Array] = {}
        self._clearances: dict[Obstacle, PairDistances] = {}
        self.near = 0
        self.spare = np.inf

    def look(self) -> None:
        """Judge the newest output, and put the floors where it is."""
        known, self.floors = self.floors, {}
        poses = self.arm.oracle.link_poses(np.array([self.arm.q]))
        for obstacle in self.arm.obstacles:
            distances = self._distances(obstacle, poses)
            floors = known.get(obstacle, np.full(len(distances), np.nan))
            spare = np.nan_to_num(distances - floors, nan=np.inf)
            self.spare = min(self.spare, float(spare.min()))
            assert (spare > -ROUNDING_M).all(), f"{obstacle}: {-spare.min() * 1e3:.4f} mm nearer than it was"
            self.near += int((distances < MARGIN_M).sum())
            settled = self.arm.at_rest or not np.isnan(floors).any()
            kept = np.minimum(MARGIN_M, distances)
            self.floors[obstacle] = np.fmax(floors, kept) if settled else np.full(len(distances), np.nan)

    def _distances(self, obstacle: Obstacle, poses: LinkPoses) -> Array:
        """Exact below the margin; beyond it a lower bound will do."""
        if obstacle not in self._clearances:
            self._clearances[obstacle] = self.arm.oracle.distances_of([solid(obstacle)])
        clearances = self._clearances[obstacle]
        placed = clearances.place(poses)
        distances: Array = clearances.lower_bounds(placed)[:, 0]
        for i in np.flatnonzero(distances < MARGIN_M).tolist():
            distances[i] = clearances.distance(i, placed, np.array([0]))[0]
        return distances


def disturb(arm: SurroundedArm, draw: random.Random) -> None:
    """An obstacle appears, now and then in the arm; jumps; or vanishes."""
    kind = draw.choice(("appear", "inside", "inside", "jump", "vanish"))
    name = f"o{draw.randint(0, 4)}"
    others = [obstacle for obstacle in arm.obstacles if obstacle.id != name]
    new = random_obstacle(draw, name)
    if kind == "inside":  # a small ball at the hand, where the arm may well be
        hand = arm.oracle.link_poses(np.array([arm.q]))["hand"][1][0] + [draw.uniform(-0.06, 0.06) for _ in range(3)]
        new = Obstacle(name, "base", "sphere", (draw.uniform(0.01, 0.05),), tuple(hand.tolist()))
    arm.obstacles = others if kind == "vanish" else [*others, new]


def drive(seed: int, ticks: int) -> Judge:
    draw = random.Random(seed)
    arm = SurroundedArm(ONLY_OBSTACLES)
    judge = Judge(arm)
    arm.tick()
    arm.again()
    for i in range(ticks):
        if draw.random() < 0.02:
            disturb(arm, draw)
        if i % 2 == 0:
            arm.command(wander(arm, draw, i))
        arm.tick()
        judge.look()
        assert arm.filter.state in ACTIVE
    return judge


@given(seed=st.integers(0, 2**32))
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_pair_within_its_margin_comes_nearer_and_no_other_pair_comes_within_it(seed: int) -> None:
    assert drive(seed, 300).spare > -ROUNDING_M


def test_the_case_above_is_one() -> None:
    """Pairs do come within the margin, and the arm goes on among them."""
    judge = drive(1, 400)
    assert judge.near > 100
    assert np.ptp(np.array([judge.arm.q, HOME]), axis=0).max() > 0.05


@pytest.mark.parametrize("gap_m", [0.002, 0.015, 0.0205])
def test_with_one_obstacle_in_the_hand_the_arm_is_not_driven_into_another(gap_m: float) -> None:
    """Leaving the one, which is deeper, is no reason to meet the other."""
    arm = Arm(**{**OFF, "obstacle.timeout_s": 0.2, "obstacle.margin_m": MARGIN_M}).armed()
    hand = arm.tool()
    wall = Obstacle("wall", "base", "box", (0.05, 1.0, 1.0), (hand[0] + 0.2, 0.0, hand[2]))
    wall = dataclasses.replace(wall, xyz=(wall.xyz[0] - wall_distance(arm, wall) + gap_m, 0.0, hand[2]))
    cup = Obstacle("cup", "base", "sphere", (0.03,), tuple(hand + [-0.03, 0.0, 0.03]))
    arm.obstacles = [wall, cup]
    before = wall_distance(arm, wall)
    assert before == pytest.approx(gap_m, abs=1e-3)
    arm.towards(forward(HOME.tolist(), 0.9), 400)
    assert wall_distance(arm, wall) >= min(before, MARGIN_M) - ROUNDING_M


def wall_distance(arm: Arm, wall: Obstacle) -> float:
    found = Oracle(URDF, arm.parameters).clearances(np.array(arm.q), [solid(wall)])
    return next(each.distance_m for each in found if each.rule == "obstacle")
