"""What nobody should write is a filter or one line of a ParameterError; `make campaign` tries many more."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

from test.campaign import configurations
from test.campaign.configurations import SRDF, URDF, fuzz_trees, fuzz_urdfs, fuzz_yaml, sim, whole
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.safety_parameters import SafetyFilterParameters


@pytest.mark.parametrize(("fuzz", "count"), [(fuzz_trees, 300), (fuzz_urdfs, 60)])
def test_what_is_read_is_a_filter_or_one_line(fuzz: Callable[[int, int], Counter[str]], count: int) -> None:
    seen = fuzz(1, count)
    assert sum(seen.values()) == count
    assert [what for what in seen if what.startswith("FAULT")] == []


def test_what_is_mistyped_is_accepted_often_enough_to_be_tried() -> None:
    """What is accepted moves inside the limits that are written, or `fuzz_yaml` tells a fault."""
    seen = fuzz_yaml(3, 60)
    assert not any(what.startswith("FAULT") for what in seen)
    assert seen["YAML accepted, moved"] > 15 and seen["YAML refused"] > 15


def test_a_filter_that_breaks_what_is_written_is_a_fault() -> None:
    parameters = from_mapping(SafetyFilterParameters, sim())
    quick = dataclasses.replace(parameters.limits, jerk=[2 * jerk for jerk in parameters.limits.jerk])
    safety = SafetyFilter.from_urdf(dataclasses.replace(parameters, limits=quick), URDF)
    safety.parameters = parameters
    with pytest.raises(AssertionError, match="jerk of"):
        configurations.moved(safety)


def test_the_filters_that_are_made_have_everything_that_needs_a_model(tmp_path: Path) -> None:
    """Else none of it would be fuzzed."""
    srdf = tmp_path / "arm.srdf"
    srdf.write_bytes(SRDF)
    assert all(configured(whole(srdf)).values())
    assert not any(configured(sim()).values())
    seen: Counter[str] = Counter()
    configurations._tell(seen, "tree", lambda: configurations._filter(whole(srdf), URDF))
    assert seen == {"tree accepted": 1}
    no_table = {**whole(srdf), "tool": {"link": "nowhere", "capsules": [0.0] * 6 + [0.1]}}
    configurations._tell(seen, "tree", lambda: configurations._filter(no_table, URDF))
    assert seen["tree refused"] == 1


def configured(tree: dict[str, Any]) -> dict[str, bool]:
    """Rule → whether it is asked for."""
    from vla_ros.safety.geometry import collision_constraints

    return collision_constraints.configured_rules(from_mapping(SafetyFilterParameters, tree))


def arm(*, self_collision: bool) -> SafetyFilterParameters:
    """One joint j between the links a and b, in a fence."""
    joint = {
        "limits": {"acceleration": [1.0], "jerk": [100.0]},
        "command": {
            "period_s": 0.01,
            "delay_s": 0.02,
            "timeout_s": 0.1,
            "max_age_s": 0.1,
            "max_lead_s": 0.0,
            "step": [1.0],
        },
        "measured": {"timeout_s": 0.1, "position_tolerance": [0.0], "tracking_error": [1.0], "rest_velocity": [0.1]},
        "override": {"speed_scale": 0.5},
        "controller": {"type": "forward_position", "topic": "c"},
        "joint_names": ["j"],
        "fence": {"box": [-9.0] * 3 + [9.0] * 3},
        "self_collision": {"check": self_collision},
    }
    return from_mapping(SafetyFilterParameters, joint)


def urdf(kind: str = "") -> str:
    """The arm a – j – b; with a kind, b hangs on a joint of that kind, which hangs on what j moves."""
    ball = "<collision><geometry><sphere radius='0.1'/></geometry></collision>"
    limit = "<axis xyz='0 0 1'/><limit lower='-1' upper='1' velocity='1' effort='1'/>"

    def joint(name: str, kind: str, parent: str, child: str) -> str:
        return f"<joint name='{name}' type='{kind}'><parent link='{parent}'/><child link='{child}'/>{limit}</joint>"

    text = f"<link name='a'>{ball}</link><link name='b'>{ball}</link>" + joint(
        "j", "revolute", "a", "m" if kind else "b"
    )
    text += "<link name='m'/>" + joint("k", kind, "m", "b") if kind else ""
    return f"<robot name='r'>{text}</robot>"


def test_an_arm_of_neighbours_alone_has_no_pairs_and_is_a_filter() -> None:
    SafetyFilter.from_urdf(arm(self_collision=True), urdf())


@pytest.mark.parametrize("kind", ["floating", "planar"])
def test_a_body_on_a_joint_that_is_not_understood_is_refused(kind: str) -> None:
    with pytest.raises(ParameterError, match="joint k"):
        SafetyFilter.from_urdf(arm(self_collision=False), urdf(kind))
    SafetyFilter.from_urdf(arm(self_collision=False), urdf("fixed"))
