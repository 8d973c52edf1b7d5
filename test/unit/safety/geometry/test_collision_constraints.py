"""Fence, table, keep-out boxes, the arm itself, a tool: what is kept, what is refused, what is said."""

from __future__ import annotations

import math
import pickle
import random
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from test.unit.safety.simulated_arm import AHEAD, OBSTACLE, OFF, URDF, Arm, forward, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry import arm_model, self_collision
from vla_ros.safety.geometry.clearance import WORK
from vla_ros.safety.geometry.obstacle import Obstacle
from vla_ros.safety.states import ACTIVE, State
from vla_ros.sim.arm_description import HOME


def test_the_arm_stops_before_the_fence_and_slows_down_on_the_way() -> None:
    arm = Arm(**{**OFF, "fence.box": [-0.6, -0.6, -0.1, 0.6, 0.6, 1.2], "fence.slow_m": 0.1}).armed()
    rules = arm.towards(forward(HOME, 1.5), 700)
    assert "fence" in rules
    assert arm.decisions[-1].verdict is not None
    assert "the fence (x = 0.6)" in arm.decisions[-1].verdict.reason
    slowed = [each.verdict for each in arm.decisions if each.verdict and "slowed to" in each.verdict.reason]
    assert slowed and all(verdict.rule == "fence" and "the fence (x = 0.6)" in verdict.reason for verdict in slowed)
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
    file.write_bytes(b"<robot name='\xff'/>")
    with pytest.raises(ParameterError, match=r"self_collision.srdf: .*arm.srdf cannot be read"):
        Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(file)})
    with pytest.raises(ParameterError, match=r"self_collision.srdf: .*nothing.srdf cannot be read"):
        Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(tmp_path / "nothing.srdf")})


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


def test_a_tool_is_part_of_the_arm() -> None:
    """A stick of 20 cm along the hand's z reaches the table's margin 20 cm earlier."""
    stick = {"tool.link": "hand", "tool.capsules": [0.0, 0.0, 0.1, 0.0, 0.0, 0.3, 0.01]}
    plain, longer = (Arm(**{**OFF, "table.height_m": [0.0], **extra}) for extra in ({}, stick))
    heights = []
    for arm, link in ((plain, "hand"), (longer, "tool_1")):
        arm.armed()
        clearance = arm.filter._surroundings._clearance  # type: ignore[union-attr]
        rows = zip(clearance._rows, clearance.near.bounds(), strict=True)  # type: ignore[union-attr]
        heights.append(min(distance for row, distance in rows if row.what.startswith(link)))
    assert 0.1 < heights[0] - heights[1] < 0.3
    with pytest.raises(ParameterError, match=r"tool.link: 'nose' is not a link of the URDF"):
        Arm(**{**OFF, "table.height_m": [0.0], **stick, "tool.link": "nose"})


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("fence.box", [0.0] * 5, "fence.box: expected 6 values each, got 5"),
        ("fence.box", [1.0, 0, 0, 0.5, 1, 1], "fence.box: x_min 1.0 is not below x_max 0.5"),
        ("fence.planes", [0.0, 0, 0, 1], "fence.planes: plane 1 has the normal 0 0 0"),
        ("keep_out.boxes", [0.0, 0, 0, 0, 1, 1, 0, 0, 0], "keep_out.boxes: box 1 has size"),
        ("tool.capsules", [0.0] * 6 + [0.01], "tool.link: must name the link"),
        ("tool.capsules", [0.0] * 7, "tool.capsules: the seventh value of each is its radius, above 0"),
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
            watched = [clearance._rows[i] for i in clearance.near.watched()]  # type: ignore[union-attr]
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


def test_what_has_no_body_cannot_be_kept_away_from_anything() -> None:
    bare = re.sub(r"<collision.*?</collision>", "", URDF, flags=re.DOTALL)
    with pytest.raises(ParameterError, match=r"^fence, table, self_collision: no link that the joints move has a"):
        SafetyFilter.from_urdf(parameters(**{"self_collision.allowed": []}), bare)
    without = re.sub(r'(<link name="link5">.*?)<collision.*?(</link>)', r"\1\2", URDF, flags=re.DOTALL)
    assert Arm().filter._surroundings.bare == []  # type: ignore[union-attr]
    assert SafetyFilter.from_urdf(parameters(), without)._surroundings.bare == ["joint5"]  # type: ignore[union-attr]


def test_an_arm_without_pairs_of_its_own_has_nothing_to_check() -> None:
    links = "|".join(("base", *(f"link{i}" for i in range(1, 8))))
    off = {**OFF, "self_collision.check": True}
    only_hand = re.sub(rf'(<link name="(?:{links})">.*?)<collision.*?(</link>)', r"\1\2", URDF, flags=re.DOTALL)
    filter_ = SafetyFilter.from_urdf(parameters(**off), only_hand)
    assert filter_.nearest() is None


def test_the_srdf_of_a_snapshot_is_the_one_that_was_read(tmp_path: Path) -> None:
    file = tmp_path / "arm.srdf"
    file.write_text('<robot name="a"><disable_collisions link1="base" link2="hand" reason="Never"/></robot>')
    arm = Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(file)})
    kept = pickle.dumps(arm.filter)
    file.unlink()
    again = pickle.loads(kept)
    assert again._surroundings._clearance._rows == arm.filter._surroundings._clearance._rows  # type: ignore[union-attr]


def test_a_pickled_filter_hears_that_an_obstacle_is_gone() -> None:
    arm = Arm(**{"obstacle.timeout_s": 0.2})
    arm.obstacles = [AHEAD]
    arm.armed()
    arm.filter = pickle.loads(pickle.dumps(arm.filter))
    assert arm.filter.shown() == [AHEAD]
    arm.obstacles = []
    arm.tick()
    assert arm.filter.shown() == []


def test_which_pairs_need_a_row_is_found_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Arm().filter
    monkeypatch.setattr(self_collision, "_needed", lambda *_: pytest.fail("looked for again"))
    again = Arm().filter
    assert first._surroundings._clearance._rows == again._surroundings._clearance._rows


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
    assert max(counts) <= WORK
    assert max(counts) > WORK // 2, "the case is no case"
    assert arm.filter.state in ACTIVE
