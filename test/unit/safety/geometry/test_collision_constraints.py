"""Fence, table, keep-out boxes, the arm itself, a tool: what is kept, what is refused, what is said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgpack
import pytest

from test.unit.safety.simulated_arm import AHEAD, OBSTACLE, OFF, URDF, Arm, forward, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.audit.snapshot import configuration_of, filter_of, snapshot_of
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.verdict import Verdict
from vla_ros.sim.arm_description import HOME


def from_snapshot(safety_filter: SafetyFilter) -> SafetyFilter:
    """Another filter that goes on from where this one is, by way of bytes."""
    snapshot = snapshot_of(safety_filter, configuration_of(safety_filter))
    return filter_of(msgpack.unpackb(msgpack.packb(snapshot), strict_map_key=False))


@pytest.mark.parametrize("rule", ["fence", "table", "keep_out", "obstacle", "self_collision", "effort_limit"])
def test_the_arm_slides_along_what_a_distance_holds_it_back_from_and_nothing_else(rule: str) -> None:
    arm = Arm(**OBSTACLE).armed()
    constraints, state = arm.filter._motion.constraints, arm.filter.values
    assert constraints is not None and not constraints.slides(state)
    constraints.held(state, Verdict(rule, "refused"))
    assert constraints.slides(state) == (rule != "effort_limit")


def test_arming_next_to_something_is_refused_and_says_what_to_do() -> None:
    arm = Arm(**OBSTACLE)
    hand = arm.tool()
    arm.obstacles = [Obstacle("cup", "base", "sphere", (0.05,), tuple(hand))]
    arm.settle()
    done, text = arm.filter.arm(arm.now_ns)
    assert not done
    assert text.startswith("cannot arm: obstacle: ")
    assert "obstacle 'cup'" in text
    assert text.endswith("move the arm clear by its own controls")
    silent = Arm(**OBSTACLE)
    silent.obstacles = None
    silent.settle()
    assert "publish an empty list when there are none" in silent.filter.arm(silent.now_ns)[1]


def test_a_tool_is_part_of_the_arm() -> None:
    """A stick of 20 cm along the hand's z reaches the table's margin 20 cm earlier."""
    stick = {"tool.link": "hand", "tool.capsules": [0.0, 0.0, 0.1, 0.0, 0.0, 0.3, 0.01]}
    plain, longer = (Arm(**{**OFF, "table.height_m": [0.0], **extra}) for extra in ({}, stick))
    heights = []
    for arm, link in ((plain, "hand"), (longer, "tool_1")):
        arm.armed()
        clearance, distances = arm.filter._constraints._clearance, arm.filter.values.distances  # type: ignore[union-attr]
        assert clearance is not None and distances is not None
        bounds = zip(clearance._pairs, clearance.active_set.distance_bounds(distances), strict=True)
        heights.append(min(distance for pair, distance in bounds if pair.description.startswith(link)))
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
        Arm(**{"tool.link": "", key: value})


def test_all_faults_of_the_geometry_are_told_together_and_each_once() -> None:
    faults = {
        "tool.link": "grasp",
        "payload.link": "load",
        "payload.mass_kg": 1.0,
        "fence.box": [1.0, 0, 0, 0.5, 1, 1],
        "unchecked": ["momentun"],
    }
    told = faults_of(**faults)
    assert [fault.split(":")[0] for fault in told] == ["unchecked", "payload.link", "tool.link"]
    told = faults_of(**{"limits.velocity": [99.0] * 8, "tool.link": "grasp"})
    assert {fault.partition(":")[0].partition("[")[0] for fault in told} == {"limits.velocity", "tool.link"}
    wrong = {"fence.box": [1.0, 0, 0, 0.5, 1, 1], "keep_out.boxes": [0.0, 0, 0, 0, 1, 1, 0, 0, 0]}
    told = faults_of(**wrong, **{"self_collision.allowed": ["a b"], "cartesian_speed.links": ["elbow 1.0"]})
    keys = [fault.partition(":")[0] for fault in told]
    assert keys == ["fence.box", "keep_out.boxes", "self_collision.allowed", "cartesian_speed.links"]


def test_a_home_where_the_arm_cannot_stand_is_told_with_all_that_is_in_its_way() -> None:
    home = {"home.position": HOME.tolist(), "home.tolerance": [0.01] * 8}
    told = faults_of(**{**OFF, **home, "fence.box": [-1.0, -1, -1, 1, 1, 0.4], "table.height_m": [0.3]})
    assert told and all(fault.startswith("home.position: ") for fault in told)
    assert {"the fence (z = 0.4)" in fault for fault in told} == {True, False}
    assert any("the table" in fault and "correct home.position or table" in fault for fault in told)
    assert faults_of(**{**OFF, **home, "fence.box": [-2.0, -2, -2, 2, 2, 2]}) == ()


def faults_of(**changes: Any) -> tuple[str, ...]:
    try:
        SafetyFilter.from_urdf(parameters(**changes), URDF)
    except ParameterError as error:
        return error.faults
    return ()


def test_a_urdf_that_pinocchio_cannot_read_is_one_line() -> None:
    broken = URDF.replace('<parent link="link3"', '<parent link="nowhere"')
    with pytest.raises(ParameterError, match=r"urdf: cannot be read as a model: [^\n]*$"):
        SafetyFilter.from_urdf(parameters(), broken)


def test_the_same_calls_give_the_same_bits_and_a_filter_of_a_snapshot_goes_on_alike() -> None:
    arms = [Arm(**{"obstacle.timeout_s": 0.2}) for _ in range(2)]
    for arm in arms:
        arm.obstacles = [AHEAD]
        arm.armed()
        arm.towards(forward(HOME, 0.9), 200)
    assert arms[0].q == arms[1].q
    arms[1].filter = from_snapshot(arms[1].filter)
    for arm in arms:
        arm.towards(forward(HOME, 0.9), 100)
        arm.towards(HOME, 200)
    assert arms[0].q == arms[1].q


def test_what_has_no_body_cannot_be_kept_away_from_anything() -> None:
    bare = re.sub(r"<collision.*?</collision>", "", URDF, flags=re.DOTALL)
    with pytest.raises(ParameterError, match=r"^fence, table, self_collision: no link that the joints move has a"):
        SafetyFilter.from_urdf(parameters(**{"self_collision.allowed": []}), bare)
    without = re.sub(r'(<link name="link5">.*?)<collision.*?(</link>)', r"\1\2", URDF, flags=re.DOTALL)
    assert Arm().filter.joints_without_geometry == []
    assert SafetyFilter.from_urdf(parameters(), without).joints_without_geometry == ["joint5"]


def test_the_srdf_of_a_snapshot_is_the_one_that_was_read(tmp_path: Path) -> None:
    file = tmp_path / "arm.srdf"
    file.write_text('<robot name="a"><disable_collisions link1="base" link2="hand" reason="Never"/></robot>')
    arm = Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(file)})
    file.unlink()
    again = from_snapshot(arm.filter)
    assert again._constraints._clearance._pairs == arm.filter._constraints._clearance._pairs  # type: ignore[union-attr]


def test_a_filter_of_a_snapshot_hears_that_an_obstacle_is_gone() -> None:
    arm = Arm(**{"obstacle.timeout_s": 0.2})
    arm.obstacles = [AHEAD]
    arm.armed()
    arm.filter = from_snapshot(arm.filter)
    assert arm.filter.active_obstacles() == [AHEAD]
    arm.obstacles = []
    arm.tick()
    assert arm.filter.active_obstacles() == []


def test_meshes_that_are_nowhere_are_all_named_and_effort_needs_none(tmp_path: Path) -> None:
    meshed = URDF
    for link in ("link5", "link6"):
        head, tag, tail = meshed.partition(f'<link name="{link}">')
        mesh = f'<collision><geometry><mesh filename="assets/{link}.stl"/></geometry></collision>'
        meshed = f"{head}{tag}{mesh}{tail}"
    with pytest.raises(ParameterError) as error:
        SafetyFilter.from_urdf(parameters(urdf=str(tmp_path / "arm.urdf")), meshed)
    assert [fault[:64] for fault in error.value.faults] == [
        f"mesh_folders: the mesh assets/{link}.stl of link {link} is not found"[:64] for link in ("link5", "link6")
    ]
    assert all(str(tmp_path) in fault for fault in error.value.faults)
    SafetyFilter.from_urdf(parameters(**{**OFF, "effort.check": True}), meshed)
    (tmp_path / "assets").mkdir()
    facet = "facet normal 0 0 1\nouter loop\nvertex 0 0 {0}\nvertex .01 0 {0}\nvertex 0 .01 0\nendloop\nendfacet\n"
    for link in ("link5", "link6"):
        text = f"solid m\n{facet.format(0)}{facet.format(0.01)}endsolid\n"
        (tmp_path / "assets" / f"{link}.stl").write_text(text)
    for found in ({"urdf": str(tmp_path / "arm.urdf")}, {"mesh_folders": [str(tmp_path)]}):
        SafetyFilter.from_urdf(parameters(**{**OFF, "table.height_m": [-1.0], **found}), meshed)


def test_bodies_that_touch_where_the_arm_stands_are_named_with_the_line_that_allows_them() -> None:
    near = {**OFF, "self_collision.check": True, "self_collision.margin_m": 0.1}
    arm = Arm(**near)
    arm.settle()
    done, text = arm.filter.arm(arm.now_ns)
    assert not done
    found = re.search(r"write in safety_filter: self_collision: \{allowed: \[(.*)\]\} \(\w+ and \w+: 0.0\d+ m", text)
    assert found is not None, text
    home = {"home.position": HOME.tolist(), "home.tolerance": [0.01] * 8}
    with pytest.raises(
        ParameterError, match=r"^self_collision\.allowed: at home\.position links are nearer .* write in"
    ):
        Arm(**near, **home)
    allowed = Arm(**near, **home, **{"self_collision.allowed": found[1].split(", ")})
    allowed.settle()
    assert allowed.filter.arm(allowed.now_ns)[0]


def test_all_faults_of_a_configuration_are_told_together() -> None:
    with pytest.raises(ParameterError) as error:
        parameters(
            **{"command.step": [0.1], "effort.check": False, "effort.limit": [1.0] * 8, "tool.capsules": [0.0] * 7}
        )
    assert {fault.partition(":")[0] for fault in error.value.faults} == {
        "command.step",
        "effort.limit",
        "tool.capsules",
    }
    looser = {"limits.velocity": [9.0] * 8, "limits.position_upper": [9.0] * 8}
    with pytest.raises(ParameterError) as error:
        SafetyFilter.from_urdf(parameters(**looser), URDF)
    assert len(error.value.faults) == 16
