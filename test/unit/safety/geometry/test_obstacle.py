"""Obstacles: what the arm keeps away from, what is measured, which messages are refused."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest

from test.unit.safety.simulated_arm import AHEAD, OBSTACLE, URDF, Arm, forward
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.geometry_parameters import PayloadParameters, ToolParameters
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME, JOINT_NAMES


def test_the_arm_stops_before_an_obstacle_names_it_and_goes_on_when_it_is_gone() -> None:
    arm = Arm(**OBSTACLE)
    arm.obstacles = [AHEAD]
    arm.armed()
    assert "obstacle" in arm.towards(forward(HOME, 1.5), 700)
    assert arm.decisions[-1].verdict is not None
    assert "obstacle 'post'" in arm.decisions[-1].verdict.reason
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert 0.021 <= nearest.distance_m < 0.026
    arm.towards(forward(HOME, 1.5), 300)
    before = list(arm.q)
    assert arm.tool()[0] < 0.7
    arm.obstacles = []
    arm.towards(forward(HOME, 1.5), 300)
    assert arm.q[1] > before[1] + 0.1


@pytest.mark.parametrize(
    "obstacle",
    [
        Obstacle("a", "base", "box", (0.1, 0.1, 1.4), (0.75, 0.0, 0.7)),
        Obstacle("b", "base", "capsule", (0.03, 1.0), (0.5, 0.3, 0.5)),
        Obstacle("c", "base", "sphere", (0.2,), (0.5, 0.4, 0.5)),
    ],
    ids=lambda obstacle: obstacle.shape,
)
def test_a_shape_put_in_the_place_of_another_is_measured_as_what_it_is(obstacle: Obstacle) -> None:
    def distances(first: Any, then: Any = None, moved: Any = None) -> list[float]:
        model = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
        index = model.add_fixed_shape("thing", *first)
        pairs = [model.add_pair(body.index, index) for body in model.bodies]
        model.finish_pairs()
        model.place(HOME)
        found = [model.distance(pair) for pair in pairs]
        if then is not None:
            model.replace_fixed_shape(index, *then)
            if moved is not None:
                model.move_fixed_shape(index, moved)
            model.place(HOME)
            found = [model.distance(pair) for pair in pairs]
        return found

    ball = Obstacle("ball", "base", "sphere", (0.01,), (9.0, 0.0, 0.0)).shape_and_pose()
    there, pose = obstacle.shape_and_pose()
    alone = distances((there, pose))
    assert distances(ball, (there, pose)) == pytest.approx(alone, abs=1e-6)
    assert distances(ball, (there, ball[1]), pose) == distances(ball, (there, pose)), "moved there, to the bit"


@pytest.mark.parametrize("turn", [0.0, 0.05])
def test_a_moved_obstacle_is_where_it_is_now(turn: float) -> None:
    arm = Arm(**OBSTACLE)
    for i in range(60):
        y = 0.8 - 0.01 * i
        quaternion = (0.0, 0.0, math.sin(turn * i / 2), math.cos(turn * i / 2))
        arm.obstacles = [Obstacle("box", "base", "box", (0.1, 0.2, 0.3), (0.4, y, 0.4), quaternion)]
        arm.tick()
    moved = arm.filter.nearest()
    fresh = Arm(**OBSTACLE)
    fresh.obstacles = arm.obstacles
    fresh.tick()
    alone = fresh.filter.nearest()
    assert moved is not None and alone is not None
    assert moved.distance_m == pytest.approx(alone.distance_m, abs=1e-6)


def test_an_obstacle_that_came_in_small_steps_stops_the_arm() -> None:
    """It was far when its distances were computed, and each step is small enough to keep them."""
    arm = Arm(**OBSTACLE)
    arm.obstacles = [dataclasses.replace(AHEAD, xyz=(8.75, 0.0, 0.7))]
    arm.armed()
    for i in range(81):
        arm.obstacles = [dataclasses.replace(AHEAD, xyz=(8.75 - 0.1 * i, 0.0, 0.7))]
        arm.tick()
    assert "obstacle" in arm.towards(forward(HOME, 1.5), 500)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert nearest.distance_m >= 0.021


def test_an_obstacle_put_next_to_the_arm_stops_it_and_lets_it_go_away_only() -> None:
    arm = Arm(**OBSTACLE).armed()
    left, right = HOME.copy(), HOME.copy()
    left[0], right[0] = 0.8, -0.4
    arm.towards(left, 60)
    hand = arm.tool()
    ahead = (
        0.11 * np.array([-hand[1], hand[0], 0.0]) / np.hypot(hand[0], hand[1])
    )  # on its circle, whatever part is nearest
    arm.obstacles = [Obstacle("cup", "base", "sphere", (0.04,), tuple(hand + ahead))]
    arm.towards(left, 200)
    stuck = arm.filter.nearest()
    assert stuck is not None
    assert stuck.distance_m < 0.015
    assert arm.decisions[-1].verdict is not None
    assert arm.decisions[-1].verdict.rule == "obstacle"
    distances = []
    for _ in range(12):
        arm.towards(right, 60)
        nearest = arm.filter.nearest()
        assert nearest is not None
        distances.append(nearest.distance_m)
    assert all(b >= a for a, b in itertools.pairwise([stuck.distance_m, *distances]) if a < 0.021)
    assert distances[-1] > 0.05


def test_a_silent_feed_stops_the_arm_and_so_does_a_refused_message() -> None:
    arm = Arm(**OBSTACLE).armed()
    arm.towards(forward(HOME, 0.4), 40)
    assert arm.filter.state in (State.TRACKING, State.LIMITING)
    arm.obstacles = None
    assert "obstacle" in arm.towards(forward(HOME, 0.4), 100)
    arm.tick(100)
    assert arm.filter.state is State.HOLDING
    assert arm.decisions[-1].verdict is not None
    assert "the newest obstacles are" in arm.decisions[-1].verdict.reason
    arm.obstacles = []
    arm.towards(forward(HOME, 0.4), 40)
    assert arm.filter.state in (State.TRACKING, State.LIMITING)
    arm.obstacles = [Obstacle("ghost", "base", "sphere", (0.1,), (math.nan, 0.0, 0.0))]
    arm.towards(forward(HOME, 0.4), 60)
    arm.tick(100)
    assert arm.filter.state is State.HOLDING
    assert arm.decisions[-1].verdict.rule == "obstacle"


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"xyz": (math.nan, 0.0, 0.0)}, "not finite"),
        ({"xyz": (1e308, 0.0, 0.0)}, "m away"),
        ({"size": (0.1, -0.1, 0.1)}, "has the size"),
        ({"size": (0.1,)}, "'box' with 1 sizes"),
        ({"shape": "capsule", "size": (-0.1, 0.0)}, "has the size"),
        ({"shape": "capsule", "size": (0.0, 0.0)}, "has the size"),
        ({"shape": "marker type 11"}, "'marker type 11'"),
        ({"quaternion": (0.0, 0.0, 0.0, 0.0)}, "no unit quaternion"),
        ({"frame": "camera"}, "is in the frame 'camera'"),
    ],
)
def test_obstacles_that_cannot_be_are_refused_by_name(bad: dict[str, Any], text: str) -> None:
    arm = Arm(**OBSTACLE)
    verdict = arm.filter.obstacles(arm.now_ns, [dataclasses.replace(AHEAD, **bad)])
    assert verdict is not None
    assert "'post'" in verdict.reason
    assert text in verdict.reason


def test_an_obstacle_with_an_endless_id_is_refused() -> None:
    arm = Arm(**OBSTACLE)
    verdict = arm.filter.obstacles(arm.now_ns, [dataclasses.replace(AHEAD, id="x" * 1_000_000)])
    assert verdict is not None
    assert verdict.reason.endswith("its id has 1000000 characters; at most 200")


def test_too_many_obstacles_and_the_same_twice_are_refused() -> None:
    arm = Arm(**{**OBSTACLE, "obstacle.maximum": 2})
    verdict = arm.filter.obstacles(1, [AHEAD, AHEAD])
    assert verdict is not None and verdict.reason == "two obstacles have the same id"
    many = [Obstacle(str(i), "base", "sphere", (0.1,), (1.0, i, 0.0)) for i in range(3)]
    verdict = arm.filter.obstacles(1, many)
    assert verdict is not None and verdict.reason == "3 obstacles; obstacle.maximum is 2"
    assert arm.filter.obstacles(1, many[:2]) is None


def test_obstacles_that_could_not_be_placed_are_not_taken_for_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    arm = Arm(**{"obstacle.timeout_s": 0.2})
    arm.settle()
    with monkeypatch.context() as patched:
        patched.setattr(ArmModel, "replace_fixed_shape", lambda *_: 1 / 0)
        arm.obstacles = [AHEAD]
        arm.tick()
        assert "the newest obstacles could not be placed" in arm.filter.arm(arm.now_ns)[1]
    arm.tick()
    assert arm.filter.arm(arm.now_ns)[0]
    arm.tick()
    assert "obstacle" in arm.towards(forward(HOME, 1.5), 700), "it stands there"


def test_obstacles_in_another_frame_than_the_arm_s_are_refused_at_the_start() -> None:
    with pytest.raises(ParameterError, match=r"obstacle\.frame_id: 'map' is not the root link of the URDF, 'base'"):
        Arm(**{"obstacle.timeout_s": 0.2, "obstacle.frame_id": "map"})
