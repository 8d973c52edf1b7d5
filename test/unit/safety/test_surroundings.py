"""The rules that need a model of the arm, on the simulated arm: what they keep, what they refuse, what they say."""

from __future__ import annotations

import dataclasses
import itertools
import math
import pickle
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pinocchio as pin
import pytest
import yaml

from vla_ros.parameters import ParameterError, flattened, from_mapping, nested
from vla_ros.robot.description import HOME, JOINT_NAMES, urdf
from vla_ros.robot.kinematics import Kinematics
from vla_ros.safety.arm_model import ArmModel
from vla_ros.safety.command import Command
from vla_ros.safety.filter import Decision, SafetyFilter
from vla_ros.safety.obstacle import Obstacle
from vla_ros.safety.parameters import Payload, SafetyFilterParameters, Tool
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

URDF = urdf()
NO_EFFORT = URDF.replace('upper="-0.0698" velocity="2.175" effort="87"', 'upper="-0.0698" velocity="2.175" effort="0"')
PERIOD_NS = 4_000_000
OFF = {"fence.box": [], "table.height_m": [], "self_collision.check": False, "effort.check": False}
AHEAD = Obstacle("post", "base", "box", (0.1, 0.1, 1.4), (0.75, 0.0, 0.7))
"""In front of the hand, which is at x = 0.37 at home."""


def parameters(**changes: Any) -> SafetyFilterParameters:
    """The simulator's configuration with changes given as {"fence.box": [...]}."""
    blocks = yaml.safe_load(Path("config/sim.yaml").read_text())
    mapping = {**blocks["/**"]["ros__parameters"], **blocks["safety_filter"]["ros__parameters"]}
    return from_mapping(SafetyFilterParameters, nested({**flattened(mapping), **changes}))


class Arm:
    """A filter with its surroundings, a perfect arm, a clock; obstacles are heard in every tick."""

    def __init__(self, **changes: Any) -> None:
        self.parameters = parameters(**changes)
        self.filter = SafetyFilter.from_urdf(self.parameters, URDF)
        self.now_ns = 10**12
        self.q = HOME.tolist()
        self.efforts: Sequence[float] = ()
        self.obstacles: list[Obstacle] | None = [] if self.parameters.obstacle.timeout_s else None
        self.decision: Decision | None = None
        self._seq = itertools.count(1)
        self._model = ArmModel(URDF, JOINT_NAMES, self.parameters.tool, self.parameters.payload)

    def armed(self) -> Arm:
        self.tick()
        assert self.filter.arm(self.now_ns) == (True, "armed; holding the measured position")
        return self

    def tick(self, count: int = 1) -> Decision:
        for _ in range(count):
            self.now_ns += PERIOD_NS
            self.filter.joint_state(self.now_ns, JOINT_NAMES, self.q, [0.0] * 8, self.efforts)
            if self.obstacles is not None:
                self.filter.obstacles(self.now_ns, self.obstacles)
            self.decision = self.filter.tick(self.now_ns)
            if self.decision.positions is not None:
                self.q = list(self.decision.positions)
        assert self.decision is not None
        return self.decision

    def command(self, positions: Sequence[float], due_ns: int, channel: str) -> Verdict | None:
        return self.filter.command(
            Command(
                channel,
                channel,
                next(self._seq),
                due_ns,
                self.now_ns - due_ns,
                self.now_ns,
                JOINT_NAMES,
                list(positions),
            )
        )

    def towards(self, goal: Sequence[float], ticks: int, channel: str = "policy", speed: float = 0.8) -> set[str]:
        """Stream a straight line to a goal at 100 Hz, waiting where the arm does not follow; the rules that acted."""
        rules, begin_ns, sent = set(), self.now_ns, 0
        setpoint = list(self.q)
        for _ in range(ticks):
            while begin_ns + sent * 10_000_000 <= self.now_ns:
                if max(abs(s - q) for s, q in zip(setpoint, self.q, strict=True)) < 0.1:
                    steps = (max(-speed, min(speed, (g - s) * 5)) * 0.01 for g, s in zip(goal, setpoint, strict=True))
                    setpoint = [s + step for s, step in zip(setpoint, steps, strict=True)]
                self.command(setpoint, begin_ns + sent * 10_000_000, channel)
                sent += 1
            verdict = self.tick().verdict
            if verdict is not None:
                rules.add(verdict.rule)
        return rules

    def tool(self) -> np.ndarray:
        """(3,) where the finger pads are, m."""
        pose: np.ndarray = Kinematics(URDF, JOINT_NAMES[:7]).forward(np.array(self.q[:7]))
        return pose[:3, 3]


def forward(q: Sequence[float], by: float) -> list[float]:
    """Home, leaned forward: the hand goes ahead."""
    goal = list(q)
    goal[1] += by
    goal[3] += by
    return goal


def test_reach_bounds_the_motion_of_every_body() -> None:
    """Random pairs of configurations: no point of a body moves by more than reach times the joints' motion."""
    model = ArmModel(URDF, JOINT_NAMES, Tool(), Payload())
    data, draw = model.model.createData(), np.random.default_rng(0)
    lower, upper = model.model.lowerPositionLimit[:8], model.model.upperPositionLimit[:8]
    largest = 0.0
    for _ in range(300):
        a = draw.uniform(lower, upper)
        b = np.clip(a + draw.normal(0, draw.choice([1e-3, 0.1, 1.0]), 8), lower, upper)
        places = []
        for q in (a, b):
            pin.forwardKinematics(model.model, data, np.append(q, q[7]))
            places.append(
                [
                    body.points @ data.oMi[body.joint].rotation.T + data.oMi[body.joint].translation
                    for body in model.bodies
                ]
            )
        for i, (before, after) in enumerate(zip(*places, strict=True)):
            moved = np.linalg.norm(after - before, axis=1).max()
            bound = float(np.array(model.reach(i)) @ np.abs(b - a))
            assert moved <= bound + 1e-12
            largest = max(largest, moved / bound if bound else 0.0)
    assert largest > 0.5, "the bound is far from what happens"


def test_bodies_inside_others_are_left_out_and_boxes_stay_boxes() -> None:
    model = ArmModel(URDF, JOINT_NAMES, Tool(), Payload())
    assert {len(body.points) for body in model.bodies if "finger" in body.link} == {8}
    assert len(model.bodies) < 30
    assert {body.link for body in model.bodies} >= {"base", "link1", "link7", "hand", "left_finger", "right_finger"}


def test_the_arm_stops_before_the_fence_and_slows_down_on_the_way() -> None:
    arm = Arm(**{**OFF, "fence.box": [-0.6, -0.6, -0.1, 0.6, 0.6, 1.2], "fence.slow_m": 0.1}).armed()
    rules = arm.towards(forward(HOME, 1.5), 700)
    assert "fence" in rules
    assert arm.decision is not None and arm.decision.verdict is not None
    assert "the fence (x = 0.6)" in arm.decision.verdict.reason
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert 0.001 < nearest.distance_m < 0.004
    assert arm.filter.state is State.LIMITING
    # And it can leave again.
    assert not arm.towards(HOME, 700) - {"fence", "velocity_limit", "acceleration_limit", "jerk_limit"}
    assert max(abs(q - h) for q, h in zip(arm.q, HOME, strict=True)) < 0.01


def test_a_slanted_plane_is_a_side_of_the_fence() -> None:
    arm = Arm(**{**OFF, "fence.planes": [1.0, 0.0, 1.0, 1.3]}).armed()
    arm.towards(forward(HOME, 1.5), 700)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert nearest.row.what.endswith("the fence (plane 1)")
    assert 0.001 < nearest.distance_m < 0.01


def test_the_table_is_not_touched() -> None:
    arm = Arm(**{**OFF, "table.height_m": [0.0], "table.margin_m": 0.01}).armed()
    down = HOME.tolist()
    down[1] += 1.6
    assert "table" in arm.towards(down, 700)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert 0.011 <= nearest.distance_m < 0.016


def test_a_keep_out_box_is_kept_out_of() -> None:
    arm = Arm(
        **{**OFF, "keep_out.boxes": [0.75, 0.0, 0.3, 0.1, 0.1, 0.6, 0.0, 0.0, 0.785], "keep_out.margin_m": 0.02}
    ).armed()
    assert "keep_out" in arm.towards(forward(HOME, 1.5), 700)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert 0.021 <= nearest.distance_m < 0.026


def test_the_arm_does_not_hit_itself() -> None:
    arm = Arm(**{**OFF, "self_collision.check": True}).armed()
    folded = HOME.tolist()
    folded[3], folded[5], folded[1] = -3.0, 0.3, -1.6
    assert "self_collision" in arm.towards(folded, 900)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert nearest.distance_m >= 0.006


def test_pairs_that_may_touch() -> None:
    arm = Arm(**{**OFF, "self_collision.check": True})
    what = {row.what for row in arm.filter._surroundings._clearance._rows}  # type: ignore[union-attr]
    assert "base and hand" in what
    assert not what & {"left_finger and right_finger", "link1 and link2", "hand and left_finger"}
    assert "link4 and link6" not in what, "they can never meet, which is proved at the start"
    with pytest.raises(ParameterError, match=r"self_collision.allowed: 'hand nose' is not two links"):
        Arm(**{"self_collision.allowed": ["hand nose"]})


def test_an_srdf_disables_pairs(tmp_path: Path) -> None:
    file = tmp_path / "arm.srdf"
    file.write_text('<robot name="a"><disable_collisions link1="base" link2="hand" reason="Never"/></robot>')
    arm = Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(file)})
    assert "base and hand" not in {row.what for row in arm.filter._surroundings._clearance._rows}  # type: ignore[union-attr]
    with pytest.raises(ParameterError, match=r"self_collision.srdf: .*nothing.srdf cannot be read"):
        Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(tmp_path / "nothing.srdf")})


OBSTACLE = {**OFF, "obstacle.timeout_s": 0.2}


def test_the_arm_stops_before_an_obstacle_names_it_and_goes_on_when_it_is_gone() -> None:
    arm = Arm(**OBSTACLE)
    arm.obstacles = [AHEAD]
    arm.armed()
    assert "obstacle" in arm.towards(forward(HOME, 1.5), 700)
    assert arm.decision is not None and arm.decision.verdict is not None
    assert "obstacle 'post'" in arm.decision.verdict.reason
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
    def distances(first: Any, then: Any = None) -> list[float]:
        model = ArmModel(URDF, JOINT_NAMES, Tool(), Payload())
        index = model.add_world("thing", *first)
        pairs = [model.pair(body.index, index) for body in model.bodies]
        model.ready()
        model.place(HOME)
        found = [model.distance(pair) for pair in pairs]
        if then is not None:
            model.set_world(index, *then)
            model.place(HOME)
            found = [model.distance(pair) for pair in pairs]
        return found

    ball = Obstacle("ball", "base", "sphere", (0.01,), (9.0, 0.0, 0.0)).solid()
    assert distances(ball, obstacle.solid()) == pytest.approx(distances(obstacle.solid()), abs=1e-6)


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


def test_an_obstacle_put_next_to_the_arm_stops_it_and_lets_it_go_away_only() -> None:
    arm = Arm(**OBSTACLE).armed()
    left, right = HOME.copy(), HOME.copy()
    left[0], right[0] = 0.8, -0.4
    arm.towards(left, 60)
    hand = arm.tool()
    arm.obstacles = [Obstacle("cup", "base", "sphere", (0.04,), (hand[0], hand[1] + 0.11, hand[2]))]
    arm.towards(left, 200)
    stuck = arm.filter.nearest()
    assert stuck is not None
    assert stuck.distance_m < 0.015
    assert arm.decision is not None and arm.decision.verdict is not None
    assert arm.decision.verdict.rule == "obstacle"
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
    assert arm.decision is not None and arm.decision.verdict is not None
    assert "no obstacles heard for" in arm.decision.verdict.reason
    arm.obstacles = []
    arm.towards(forward(HOME, 0.4), 40)
    assert arm.filter.state in (State.TRACKING, State.LIMITING)
    arm.obstacles = [Obstacle("ghost", "base", "sphere", (0.1,), (math.nan, 0.0, 0.0))]
    arm.towards(forward(HOME, 0.4), 60)
    arm.tick(100)
    assert arm.filter.state is State.HOLDING
    assert arm.decision.verdict.rule == "obstacle"


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"xyz": (math.nan, 0.0, 0.0)}, "not finite"),
        ({"xyz": (1e308, 0.0, 0.0)}, "m away"),
        ({"size": (0.1, -0.1, 0.1)}, "has the size"),
        ({"size": (0.1,)}, "'box' with 1 sizes"),
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


def test_too_many_obstacles_and_the_same_twice_are_refused() -> None:
    arm = Arm(**{**OBSTACLE, "obstacle.maximum": 2})
    verdict = arm.filter.obstacles(1, [AHEAD, AHEAD])
    assert verdict is not None and verdict.reason == "two obstacles have the same id"
    many = [Obstacle(str(i), "base", "sphere", (0.1,), (1.0, i, 0.0)) for i in range(3)]
    verdict = arm.filter.obstacles(1, many)
    assert verdict is not None and verdict.reason == "3 obstacles; obstacle.maximum is 2"
    assert arm.filter.obstacles(1, many[:2]) is None


def test_arming_next_to_something_is_refused_and_says_what_to_do() -> None:
    arm = Arm(**OBSTACLE)
    hand = arm.tool()
    arm.obstacles = [Obstacle("cup", "base", "sphere", (0.05,), tuple(hand))]
    arm.tick()
    done, text = arm.filter.arm(arm.now_ns)
    assert not done
    assert text.startswith("cannot arm: obstacle: ")
    assert "obstacle 'cup'" in text
    assert text.endswith("move the arm clear by its own controls")
    silent = Arm(**OBSTACLE)
    silent.obstacles = None
    silent.tick()
    assert "publish an empty list when there are none" in silent.filter.arm(silent.now_ns)[1]


def test_effort_limits_hold_back_what_is_too_heavy() -> None:
    changes = {**OFF, "effort.check": True, "effort.limit": [87.0, 12.0, 87.0, 87.0, 12.0, 12.0, 12.0, 70.0]}
    heavy = HOME.tolist()
    heavy[3] = -1.3  # joint2 holds 2 N m at home, 20 there
    arm, free = Arm(**changes).armed(), Arm(**OFF).armed()
    assert "effort_limit" in arm.towards(heavy, 700)
    free.towards(heavy, 700)
    assert free.q[3] > -1.35
    assert -2.4 < arm.q[3] < -1.6


def test_a_payload_that_cannot_be_held_is_refused_at_the_start() -> None:
    arm = Arm(**{**OFF, "effort.check": True, "payload.link": "hand", "payload.mass_kg": 40.0})
    arm.tick()
    done, text = arm.filter.arm(arm.now_ns)
    assert not done
    assert "effort_limit: joint" in text


def test_a_missing_effort_limit_is_named() -> None:
    with pytest.raises(ParameterError, match=r"effort.limit: joint joint4 has no <limit effort"):
        SafetyFilter.from_urdf(parameters(), NO_EFFORT)


def test_a_tool_is_part_of_the_arm() -> None:
    """A stick of 20 cm along the hand's z reaches the table's margin 20 cm earlier."""
    stick = {"tool.link": "hand", "tool.capsules": [0.0, 0.0, 0.1, 0.0, 0.0, 0.3, 0.01]}
    plain, longer = (Arm(**{**OFF, "table.height_m": [0.0], **extra}) for extra in ({}, stick))
    heights = []
    for arm, link in ((plain, "hand"), (longer, "tool 1")):
        arm.armed()
        clearance = arm.filter._surroundings._clearance  # type: ignore[union-attr]
        rows = zip(clearance._rows, clearance._distance, strict=True)  # type: ignore[union-attr]
        heights.append(min(distance for row, distance in rows if row.what.startswith(link)))
    assert 0.1 < heights[0] - heights[1] < 0.3
    with pytest.raises(ParameterError, match=r"tool.link: 'nose' is not a link of the URDF"):
        Arm(**{**OFF, "table.height_m": [0.0], **stick, "tool.link": "nose"})


def test_a_push_from_outside_latches() -> None:
    arm = Arm(**{**OFF, "contact.threshold": [5.0] * 8})
    model = ArmModel(URDF, JOINT_NAMES, Tool(), Payload())
    arm.efforts = model.efforts(HOME, ([0.0] * 8, [0.0] * 8))[0].tolist()
    arm.armed().tick(20)
    assert arm.filter.state is State.HOLDING
    arm.efforts = [effort + (8.0 if i == 3 else 0.0) for i, effort in enumerate(arm.efforts)]
    arm.tick(3)
    assert arm.filter.state is State.HOLDING, "shorter than contact.duration_s"
    decision = arm.tick(5)
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None
    assert decision.verdict.rule == "contact"
    assert decision.verdict.reason.startswith("joint4 is pushed with 8 N m")


def test_a_watched_contact_needs_efforts() -> None:
    arm = Arm(**{**OFF, "contact.threshold": [5.0] * 8}).armed()
    decision = arm.tick()
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None
    assert "joint_states carries no efforts" in decision.verdict.reason


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("fence.box", [0.0] * 5, "fence.box: expected 6 values each, got 5"),
        ("fence.box", [1.0, 0, 0, 0.5, 1, 1], "fence.box: x_min 1.0 is not below x_max 0.5"),
        ("fence.planes", [0.0, 0, 0, 1], "fence.planes: plane 1 has the normal 0 0 0"),
        ("keep_out.boxes", [0.0, 0, 0, 0, 1, 1, 0, 0, 0], "keep_out.boxes: box 1 has size"),
        ("tool.capsules", [0.0] * 7, "tool.link: must name the link"),
        ("payload.mass_kg", 1.0, "payload.link: must name the link"),
        ("contact.threshold", [1.0], "contact.threshold: expected 8 values"),
        ("effort.limit", [100.0] * 8, "effort.limit[0]: 100.0 of joint joint1 is looser than the URDF's 87.0"),
    ],
)
def test_bad_configurations_are_named(key: str, value: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(text)):
        Arm(**{key: value})


def test_a_urdf_that_pinocchio_cannot_read_is_one_line() -> None:
    broken = URDF.replace('<parent link="link3"', '<parent link="nowhere"')
    with pytest.raises(ParameterError, match=r"urdf: cannot be read as a model: [^\n]*$"):
        SafetyFilter.from_urdf(parameters(), broken)


def adversarial(arm: Arm, seed: int, ticks: int) -> float:
    """Wander about at full speed among obstacles; the least distance beyond the margin, at outputs and between them."""
    draw = random.Random(seed)
    clearance = arm.filter._surroundings._clearance  # type: ignore[union-attr]
    model = arm.filter._surroundings._arm  # type: ignore[union-attr]
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
            watched = [row for row, on in zip(clearance._rows, clearance._watched, strict=True) if on]  # type: ignore[union-attr]
            least = min(least, *(model.distance(row.pair) - row.margin_m for row in watched))
        clearance._placed = False  # type: ignore[union-attr]
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


def test_the_same_calls_give_the_same_bits_and_a_pickled_filter_goes_on_alike() -> None:
    arms = [Arm(**{"obstacle.timeout_s": 0.2}) for _ in range(2)]
    for arm in arms:
        arm.obstacles = [AHEAD]
        arm.armed()
        arm.towards(forward(HOME, 0.9), 200)
    assert arms[0].q == arms[1].q
    arms[1].filter = pickle.loads(pickle.dumps(arms[1].filter))
    for arm in arms:
        arm.towards(forward(HOME, 0.9), 100)
        arm.towards(HOME, 200)
    assert arms[0].q == arms[1].q
