"""Speed and separation monitoring."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from test.unit.safety.geometry.motion import FREE, Model
from test.unit.safety.simulated_arm import URDF, Arm, parameters
from vla_ros.oracle import Oracle, ball
from vla_ros.parameters import ParameterError
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.obstacle_shape import HUMAN, Obstacle
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME

CHECK: dict[str, Any] = {
    **{**FREE, "obstacle.timeout_s": 0.2, "obstacle.margin_m": 0.0, "separation.check": True},
    **{"separation.reaction_s": 0.1, "separation.intrusion_m": 0.2},
    **{"separation.position_uncertainty_m": 0.05, "separation.arm_uncertainty_m": 0.01},
}
STILL_M = 0.26
"""C + Z."""
SWUNG = [1.2, *HOME[1:].tolist()]
RADIUS_M = 0.2


def human(y: float, velocity: tuple[float, float, float] | None = None, kind: str = HUMAN) -> Obstacle:
    """A ball beside the arm, as high as its hand."""
    return Obstacle("visitor", "base", "sphere", (RADIUS_M,), (0.4, y, 0.5), kind=kind, velocity=velocity)


class Watched:
    """An arm that swings towards +y while somebody moves there; distances are the oracle's."""

    def __init__(
        self, y: float, velocity: tuple[float, float, float] | None = None, kind: str = HUMAN, **changes: Any
    ) -> None:
        self.arm = Arm(**{**CHECK, **changes})
        self.arm.obstacles = [human(y, velocity, kind)]
        self.oracle = Oracle(
            URDF, dataclasses.replace(self.arm.parameters, self_collision=parameters(**FREE).self_collision)
        )
        self.arm.armed()

    def distance(self, y: float) -> float:
        (nearest,) = (
            each
            for each in self.oracle.clearances(np.array([self.arm.q]), [ball((0.4, y, 0.5), RADIUS_M)])
            if each.rule == "obstacle"
        )
        return float(nearest.distance_m)


def speed_of(arm: Arm) -> float:
    decision = arm.decisions[-1]
    return max(map(abs, decision.velocities), default=0.0)


def test_a_human_far_away_changes_nothing_and_a_near_one_keeps_the_arm_at_rest() -> None:
    far, near = Watched(4.0), Watched(0.6)
    assert "separation" not in far.arm.towards(SWUNG, 100)
    assert near.arm.towards(SWUNG, 100) == {"separation"}
    assert speed_of(near.arm) == 0.0 and near.arm.q == pytest.approx(HOME, abs=1e-3)
    verdict = next(d.verdict for d in near.arm.decisions if d.verdict is not None)
    assert verdict.reason.startswith(("human 'visitor' is 0.", "slowed to"))


def test_the_arm_stops_before_a_standing_human_at_the_distance_that_its_kind_needs() -> None:
    watched = Watched(0.6, (0.0, 0.0, 0.0))
    assert "separation" in watched.arm.towards(SWUNG, 300, speed=1.5)
    assert speed_of(watched.arm) < 0.01
    left = watched.distance(0.6)
    assert STILL_M <= left <= STILL_M + 0.1
    lone = Watched(0.6, (0.0, 0.0, 0.0), kind="")
    lone.arm.towards(SWUNG, 300, speed=1.5)
    assert lone.distance(0.6) < left - 0.05, "C is for humans"


@pytest.mark.parametrize("told", [True, False])
def test_when_a_human_comes_the_arm_rests_before_they_touch(told: bool) -> None:
    """At 1.6 m/s from afar. On arrival at C + Z the arm must have been at rest for the reaction time."""
    speed, start = 1.6, 2.6
    watched = Watched(start, (0.0, -speed, 0.0) if told else None)
    arm, slowest = watched.arm, []
    for tick in range(300):
        y = start - speed * tick * 0.004
        arm.obstacles = [human(y, (0.0, -speed, 0.0) if told else None)]
        arm.towards([math.sin(tick / 15) * 0.8, *HOME[1:].tolist()], 1, speed=1.5)
        distance = watched.distance(y)
        if distance <= STILL_M + speed * 0.1:
            slowest.append(speed_of(arm))
        if distance < STILL_M:
            break
    assert slowest and max(slowest) == 0.0
    assert max(max(map(abs, d.velocities), default=0.0) for d in arm.decisions) > 0.5


def test_one_who_walks_away_lets_the_arm_go_nearer() -> None:
    leaving, unknown = Watched(0.8, (0.0, 1.6, 0.0)), Watched(0.8)
    leaving.arm.towards(SWUNG, 200, speed=1.0)
    unknown.arm.towards(SWUNG, 200, speed=1.0)
    assert leaving.arm.q[0] > unknown.arm.q[0] + 0.05


def test_a_human_that_appears_stops_the_moving_arm_by_the_stop_policy() -> None:
    watched = Watched(4.0)
    arm = watched.arm
    arm.towards(SWUNG, 60, speed=1.5)
    assert arm.decisions[-1].velocities[0] > 0.3
    arm.obstacles = [human(0.7)]
    arm.towards(SWUNG, 90, speed=1.5)
    first = arm.decisions[-90:]
    assert first[0].verdict is not None and first[0].verdict.rule == "separation"
    assert np.diff([d.velocities[0] for d in first[10:20]]).max() < -0.9 * 7.5 * 0.004
    assert first[-1].velocities[0] == 0.0
    arm.obstacles = [human(4.0)]
    arm.towards(SWUNG, 300)
    assert arm.filter.state in (State.TRACKING, State.LIMITING, State.HOLDING) and arm.q[0] > 1.0, "and then it goes on"


def test_a_boxes_place_and_turn_count() -> None:
    arm = Arm(**CHECK)
    quarter = (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))
    box = Obstacle("cart", "base", "box", (0.1, 1.2, 0.4), (0.4, 1.0, 0.5), kind=HUMAN, velocity=(0.0, 0.0, 0.0))
    arm.obstacles = [dataclasses.replace(box, quaternion=quarter)]
    arm.armed().towards(SWUNG, 300)
    turned = arm.q[0]
    other = Arm(**CHECK)
    other.obstacles = [box]
    other.armed().towards(SWUNG, 300)
    assert turned > other.q[0] + 0.1


def test_it_needs_a_feed() -> None:
    with pytest.raises(ParameterError, match=r"separation.check: needs obstacles; set obstacle.timeout_s"):
        SafetyFilter.from_urdf(parameters(**{**FREE, **{"separation.check": True}}), URDF)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"kind": "robot"}, "'robot' is no class of obstacles; known: human, or none"),
        ({"velocity": (math.nan, 0.0, 0.0)}, "has the velocity (nan, 0.0, 0.0); at most 20 m/s"),
        ({"velocity": (0.0, 21.0, 0.0)}, "at most 20 m/s"),
    ],
)
def test_what_is_no_class_or_velocity_is_refused(changes: dict[str, Any], text: str) -> None:
    assert text in dataclasses.replace(human(1.0), **changes).fault()
    arm = Arm(**CHECK)
    verdict = arm.filter.obstacles(arm.now_ns, [dataclasses.replace(human(1.0), **changes)])
    assert verdict is not None and text in verdict.reason


def test_the_age_of_the_message_counts() -> None:
    """Silent for 0.15 s, a human may have come 0.24 m nearer."""
    model = Model(**CHECK)
    fresh, old = Watched(0.8), Watched(0.8)
    old.arm.measure = lambda: old.arm.filter.joint_state(  # type: ignore[method-assign, assignment]
        old.arm.now_ns, model.parameters.joint_names, old.arm.q, [0.0] * 8
    )
    for watched in (fresh, old):
        watched.arm.towards(SWUNG, 35, speed=0.5)
    assert fresh.arm.q[0] > old.arm.q[0] + 1e-3
