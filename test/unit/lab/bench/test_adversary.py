"""The stream depends on its seed alone, has every mode, and reaches beyond the range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from vla_ros.lab.bench.adversary import MAX_OFFSET, MODES, RANGE_SCALE, Adversary
from vla_ros.lab.bench.filter_rig import (
    RADIUS_M,
    START,
    FilterRig,
    full_configuration,
    near_obstacles,
    with_unlimited_steps,
)
from vla_ros.oracle.clearances import ball
from vla_ros.oracle.oracle import Oracle
from vla_ros.oracle.stream import Stream
from vla_ros.safety.states import LATCHED
from vla_ros.sim.arm_description import JOINT_NAMES


def test_the_adversary_depends_on_its_seed_alone() -> None:
    bounds = list(Oracle(*reversed(full_configuration())).bounds.values())
    streams = [Adversary(bounds, seed) for seed in (4, 4, 5)]
    modes = set()
    first, second, other = [], [], []
    for i in range(1500):
        for adversary, into in zip(streams, (first, second, other), strict=True):
            into.append(repr(adversary.target(i * 0.01)))
        modes.add(streams[0].mode)
    assert first == second != other
    assert modes == set(MODES)
    assert any("nan" in row for row in first)
    assert any("inf" in row for row in first)


@dataclass(frozen=True)
class Range:
    lower: float = -1.0
    upper: float = 2.0
    velocity: float = 1.5


def test_finite_targets_lie_near_the_centre_that_moves_over_the_whole_range() -> None:
    adversary = Adversary([Range()], seed=1)
    targets = [adversary.target(i * 0.01)[0] for i in range(20_000)]
    finite = [target for target in targets if math.isfinite(target) and 1e-300 < abs(target) < 1e300]
    assert max(finite) > 2.0 and min(finite) < -1.0
    assert max(abs(target - 0.5) for target in finite) <= RANGE_SCALE * 1.5 + MAX_OFFSET + 1e-12


def test_a_short_range_has_a_smaller_offset() -> None:
    adversary = Adversary([Range(0.0, 0.04, 0.1)], seed=1)
    targets = [adversary.target(i * 0.01)[0] for i in range(5_000) if adversary.mode != "nonsense"]
    finite = [target for target in targets if math.isfinite(target) and abs(target) < 1e300]
    assert max(finite) == pytest.approx(0.02 + RANGE_SCALE * 0.02, abs=0.0011)


def test_no_output_of_the_filter_breaks_a_limit_or_a_margin_under_it() -> None:
    seed = 2
    parameters, urdf = full_configuration()
    parameters = with_unlimited_steps(parameters)
    oracle = Oracle(urdf, parameters)
    obstacles = near_obstacles(parameters, urdf, seed)
    rig = FilterRig(parameters, urdf, obstacles)
    adversary = Adversary(list(oracle.bounds.values()), seed)
    sent = [START]
    for _ in range(1500):
        for at_s in rig.advance():
            rig.send_setpoint(at_s, adversary.target(at_s))
        rig.send_joint_state()
        rig.send_obstacles()
        decision = rig.tick()
        assert decision.state not in LATCHED, decision.verdict
        assert decision.positions is not None
        sent.append(np.array(decision.positions))
    stream = Stream.even(JOINT_NAMES, np.array(sent), parameters.period_s)
    report = oracle.judge(stream, [ball(each.xyz, RADIUS_M) for each in obstacles])
    assert not report.broken, report.text()
    assert {"fence", "table", "self_collision", "obstacle"} <= {each.quantity for each in report.findings}
    obstacle = report.worst("obstacle")
    assert obstacle.value < obstacle.limit + 0.02, "the adversary did not reach an obstacle"
