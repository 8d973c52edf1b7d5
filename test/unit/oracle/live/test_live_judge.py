"""The second opinion: silent on whatever the filter sends, and not silent when the filter's own rules are switched off."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest

from test.unit.oracle.live.live_arm import LiveArm
from test.unit.safety.simulated_arm import URDF, forward
from vla_ros.oracle.live.live_judge import LiveJudge
from vla_ros.oracle.live.sent_stream import SentMessage
from vla_ros.oracle.oracle import Oracle
from vla_ros.safety.geometry.clearance import Clearance
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.states import ACTIVE
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

Q = HOME.tolist()
DOWN = [Q[0], Q[1] + 1.9, Q[2], Q[3] + 0.6, *Q[4:]]
"""Through the table."""


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_that_the_filter_sends_is_broken(seed: int) -> None:
    """At full speed, with obstacles that appear, jump and vanish, and a stop and an arming in between."""
    draw = random.Random(seed)
    arm = LiveArm(**{"obstacle.timeout_s": 0.2}).armed()
    for i in range(10):
        goal = [h + draw.uniform(-1.5, 1.5) for h in Q[:7]] + [0.02]
        place = draw.uniform(-0.6, 0.8), draw.uniform(-0.6, 0.6), draw.uniform(0.1, 0.9)
        arm.obstacles = [Obstacle("jumps", "base", "box", (0.1, 0.2, 0.1), place), *(arm.obstacles or [])[: i % 2]]
        arm.obstacles = list({each.id: each for each in arm.obstacles}.values())
        arm.towards(goal, 60, speed=2.0)
        if i == 5:
            arm.tick(200)
            arm.filter.disarm()
            arm.tick(100)
            arm.tick()
            arm.filter.arm(arm.now_ns)
        assert arm.faults == []
        assert arm.filter.state in ACTIVE or i >= 5
    assert arm.judge.hears_measured(arm.now_ns)


def test_with_clearance_switched_off_in_memory_the_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clearance, "violation", lambda *_: None)
    arm = LiveArm().armed()
    for _ in range(60):
        arm.towards(DOWN, 20)
        if arm.faults:
            break
    assert "table: " in arm.faults[0]
    assert arm.tool()[2] > -0.02, "it is told before the tool is far below"


def test_an_obstacle_that_stands_is_judged_with_clearance_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    arm = LiveArm(**{"obstacle.timeout_s": 0.2})
    arm.obstacles = [Obstacle("post", "base", "box", (0.1, 0.1, 1.4), (0.75, 0.0, 0.7))]
    arm.armed()
    arm.tick(400)
    monkeypatch.setattr(Clearance, "violation", lambda *_: None)
    arm.towards(forward(Q, 1.5), 600)
    assert any("'post'" in fault and "obstacle: " in fault for fault in arm.faults)


def test_an_obstacle_that_comes_to_an_arm_at_rest_is_no_fault() -> None:
    arm = LiveArm(**{"obstacle.timeout_s": 0.2}).armed()
    hand = arm.tool()
    for i in range(40):
        arm.obstacles = [Obstacle("cup", "base", "sphere", (0.05,), (hand[0] + 0.4 - 0.01 * i, hand[1], hand[2]))]
        arm.tick(10)
    assert arm.faults == []


def judge(**_: object) -> tuple[LiveJudge, LiveArm]:
    arm = LiveArm().armed()
    arm.tick(10)
    return arm.judge, arm


def send(arm: LiveArm, q: list[float], ticks: int = 1) -> str:
    """The next message after so many ticks, and what the judge says of it."""
    arm.now_ns += 4_000_000 * ticks
    arm._number += 1
    arm.judge.sent("arm", SentMessage(arm._number, arm.now_ns, 0, (0,), np.array([q])))
    return arm.judge.judge(arm.now_ns, arm.now_ns)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ([0.02] + [0.0] * 7, "joint1: velocity"),
        ([0.001] + [0.0] * 7, "joint1: acceleration"),
        ([8e-5] + [0.0] * 7, "joint1: jerk"),
        ([4e-5] + [0.0] * 7, ""),
        ([0.0] * 7 + [1.0], "beyond its range"),
        ([float("nan")] + [0.0] * 7, "not finite"),
    ],
)
def test_a_message_that_breaks_a_limit_is_named(change: list[float], what: str) -> None:
    _, arm = judge()
    said = send(arm, [a + b for a, b in zip(arm.q, change, strict=True)])
    assert what in said
    assert bool(what) is bool(said)


def test_a_message_of_another_width_is_a_fault() -> None:
    _, arm = judge()
    assert "7 positions for 8 joints" in send(arm, arm.q[:7])


def test_nothing_is_judged_while_nothing_is_sent() -> None:
    judge_, arm = judge()
    later = arm.now_ns + 1_000_000_000
    judge_.measured(later, later, JOINT_NAMES, DOWN)
    assert not judge_.hears_sent(later)
    assert judge_.judge(later, later) == ""


def test_the_measured_arm_below_the_table_and_too_fast_is_named() -> None:
    arm = LiveArm()
    arm.judge.measured(arm.now_ns, arm.now_ns, JOINT_NAMES, DOWN)
    assert "measured: -0.0" in send(arm, arm.q)
    judge_, arm = judge()
    fast = list(arm.q)
    for _ in range(40):
        fast[0] += 0.02
        judge_.measured(arm.now_ns + 4_000_000, arm.now_ns + 4_000_000, JOINT_NAMES, fast)
        said = send(arm, arm.q)
        if said:
            break
    assert "joint1: velocity" in said
    assert "is measured" in said


def test_what_it_holds_is_told() -> None:
    arm = LiveArm()
    assert "table.height_m: 0" in arm.judge.limits
    assert "joint4 upper: -0.0698" in arm.judge.limits
    assert LiveJudge(URDF, arm.parameters, {"arm": JOINT_NAMES}, 0.0).notes == []


def test_a_continuous_joint_that_its_driver_wraps_stands_where_it_is_sent() -> None:
    parameters = LiveArm().parameters
    bounds = Oracle(URDF, parameters).bounds.values()
    ranges = {"position_lower": [b.lower for b in bounds], "position_upper": [b.upper for b in bounds]}
    for key, end in (("position_lower", -7.0), ("position_upper", 7.0)):
        ranges[key][6] = end
    parameters = dataclasses.replace(parameters, limits=dataclasses.replace(parameters.limits, **ranges))
    head, _, tail = URDF.partition('name="joint7" type="revolute"')
    judge = LiveJudge(f'{head}name="joint7" type="continuous"{tail}', parameters, {"arm": JOINT_NAMES}, 0.01)
    for number in range(1, 100):
        now_ns, q = 4_000_000 * number, HOME.copy()
        q[6] = 3.0 + 0.003 * number
        judge.sent("arm", SentMessage(number, now_ns, 0, (0,), q[None]))
        wrapped = [*q[:6], math.remainder(q[6], math.tau), q[7]]
        judge.measured(now_ns, now_ns, JOINT_NAMES, wrapped)
        assert "measured" not in judge.judge(now_ns, now_ns)
