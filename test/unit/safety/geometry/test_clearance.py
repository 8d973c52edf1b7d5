"""Every margin is kept at full speed; a candidate near something is looked at, and something near slows the arm down."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from test.unit.safety.simulated_arm import Arm, forward
from vla_ros.lab.bench import sliding
from vla_ros.lab.bench.filter_rig import FilterRig
from vla_ros.lab.bench.sliding import BOUNDARIES, Boundary, configuration, measure
from vla_ros.safety.geometry import arm_model
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.clearance import MAX_QUERIES, SAMPLE_MARGIN_M, Clearance
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.joint_motion import JointMotion, JointOutput
from vla_ros.safety.states import ACTIVE, State
from vla_ros.sim.arm_description import HOME


class Wall:
    """An arm of one joint that turns towards a wall at 1 rad."""

    def place(self, q: list[float]) -> None:
        self.q = q[0]

    def distance(self, pair: int) -> float:
        return 1.0 - self.q


def test_a_candidate_that_is_suddenly_fast_is_looked_at() -> None:
    """The tick began with a joint at rest, far from the wall for all that was allowed for."""
    motion, joint = JointMotion(TickLimits(-(10**10), 10**10, 10**8, 120_000, 120_000)), JointOutput()
    arm: Any = Wall()
    clearance = Clearance(arm, [DistancePair("fence", "wall", 0, [1.0], 0.01, 0.0)], [motion])
    state = clearance.active_set.initial()
    assert clearance.restart(state, [joint]) is None
    clearance.start_tick(state, [joint])
    assert not state.may_hold
    joint.q = joint.v = 30_000_000  # 7.5 rad/s, 3.7 rad to rest
    found = clearance.violation(state, [joint], [(0, 0, 0)])
    assert found is not None
    assert found[0].description == "wall"


def test_what_is_near_at_the_start_slows_the_first_tick() -> None:
    motion, joint = JointMotion(TickLimits(-(10**10), 10**10, 10**8, 120_000, 120_000)), JointOutput(700_000_000)
    arm: Any = Wall()
    pair = DistancePair("fence", "wall", 0, [1.0], 0.01, 0.5)
    clearance = Clearance(arm, [pair], [motion])
    state = clearance.active_set.initial()
    assert clearance.restart(state, [joint]) is None
    clearance.start_tick(state, [joint])
    assert clearance.speed_permille(state, [joint]) == (577, pair)  # (0.3 - 0.01 - 0.001) / 0.5


def adversarial(arm: Arm, seed: int, ticks: int) -> float:
    """Wander about at full speed among obstacles; the least distance beyond the margin, at outputs and between them."""
    draw = random.Random(seed)
    constraints = arm.filter._constraints
    assert constraints is not None and constraints._clearance is not None
    clearance, model = constraints._clearance, constraints.arm
    least = math.inf
    goal = HOME.tolist()
    for i in range(ticks):
        if i % 100 == 0:
            goal = [h + draw.uniform(-2.0, 2.0) for h in HOME]
            goal[7] = draw.uniform(0.0, 0.04)
        if i % 3 == 0 and i % 700 < 600:
            near = [q + max(-0.15, min(0.15, g - q)) for q, g in zip(arm.q, goal, strict=True)]
            arm.command(near, arm.now_ns, "policy")
        before = list(arm.q)
        arm.tick()
        for share in (0.33, 0.66, 1.0):
            model.place([a + share * (b - a) for a, b in zip(before, arm.q, strict=True)])
            distances = arm.filter.values.distances
            assert distances is not None
            in_use = [clearance._pairs[i] for i in np.flatnonzero(distances.in_use)]
            least = min(least, *(model.distance(pair.index) - pair.margin_m for pair in in_use))
        clearance._placed = False
    return least


def test_every_margin_is_kept_at_full_speed_at_outputs_and_between_them() -> None:
    arm = Arm(**{"obstacle.timeout_s": 0.2, "keep_out.boxes": [-0.4, 0.0, 0.3, 0.2, 0.4, 0.6, 0.0, 0.0, 0.0]})
    draw = random.Random(1)
    arm.obstacles = [
        Obstacle(
            str(i),
            "base",
            shape,
            size,
            (0.3 + 0.3 * draw.random(), draw.uniform(-0.6, 0.6), 0.75 + 0.2 * draw.random()),
        )
        for i, (shape, size) in enumerate([("sphere", (0.06,)), ("box", (0.1, 0.2, 0.1)), ("capsule", (0.04, 0.2))] * 2)
    ]
    arm.armed()
    least = adversarial(arm, seed=2, ticks=1500)
    print(f"\nleast distance beyond the margin: {least * 1e3:.4f} mm")
    assert least > 0.0
    assert least < 0.005, "the adversary did not come near"
    assert arm.filter.state is not State.PROTECTIVE_STOP


def test_a_distance_that_is_not_a_number_stops_the_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison with NaN is false: it must not pass for a distance that is kept."""
    arm = Arm().armed()
    arm.towards(forward(HOME, 0.4), 60)
    assert arm.filter.state in ACTIVE
    monkeypatch.setattr(arm_model.pin, "computeDistance", lambda *_: SimpleNamespace(min_distance=math.nan))
    arm.towards(forward(HOME, 0.4), 200)
    assert arm.filter.state is State.PROTECTIVE_STOP
    assert "is not a number" in arm.decisions[-1].verdict.reason
    assert not any(arm.decisions[-1].velocities)


@pytest.mark.parametrize("slow_m", [0.3, 0.0])
def test_a_tick_computes_no_more_distances_than_it_may(monkeypatch: pytest.MonkeyPatch, slow_m: float) -> None:
    """Obstacles whose sizes jitter are new ones in every message: nothing that was known of them holds."""
    arm = Arm(**{"obstacle.timeout_s": 0.5, "obstacle.maximum": 16, "obstacle.slow_m": slow_m}).armed()
    counts, compute = [0], arm_model.ArmModel.distance

    def counted(model: arm_model.ArmModel, pair: int) -> float:
        counts[-1] += 1
        return compute(model, pair)

    monkeypatch.setattr(arm_model.ArmModel, "distance", counted)
    for size in range(60):
        arm.obstacles = [
            Obstacle(str(k), "base", "sphere", (0.05 + 1e-4 * size,), (0.9, -0.8 + 0.1 * k, 0.6)) for k in range(16)
        ]
        counts.append(0)
        arm.towards(forward(HOME, 0.2), 1)
    assert max(counts) <= MAX_QUERIES
    assert max(counts) > MAX_QUERIES // 2, "the case is no case"
    assert arm.filter.state in ACTIVE


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda boundary: boundary.name)
def test_the_first_approach_is_slowed_and_not_braked(boundary: Boundary) -> None:
    slide = measure(boundary, "push", 900, seed=1)
    assert slide.refused == 0.0
    assert slide.near > 0.4
    assert slide.least_m > SAMPLE_MARGIN_M
    if boundary.name == "fence":
        assert slide.median_m < 0.0025, "and it comes as near as that"


def shelf(top_m: float) -> Boundary:
    """A keep-out box below the hand and wherever a turn of joint1 brings it."""
    return Boundary("keep_out", {"boxes": [0.55, 0.0, top_m - 0.5, 0.6, 1.6, 1.0, 0.0, 0.0, 0.0], "slow_m": 0.0}, {})


def test_a_fast_turn_close_above_a_shelf_is_slowed_and_not_braked(monkeypatch: pytest.MonkeyPatch) -> None:
    top_m = -0.3
    for _ in range(20):  # raised by what is left of its distance, it never comes too near
        nearest = FilterRig(*configuration(shelf(top_m))).filter.nearest()
        assert nearest is not None
        top_m += nearest.distance_m - nearest.pair.margin_m - SAMPLE_MARGIN_M - 1e-4
    monkeypatch.setattr(sliding, "ALONG_HZ", 1.0)
    slide = measure(shelf(top_m), "push", 500, seed=1)
    assert slide.refused == 0.0
    assert slide.near == 1.0 and 0.05 < slide.along < 0.5
