"""Clearances: known distances are found, and what no command is to blame for is not judged."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from test.unit.oracle.arms import with_bodies
from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.oracle.clearances import ball, box
from vla_ros.oracle.oracle import Oracle
from vla_ros.parameters import ParameterError, flattened, from_mapping, nested
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf


@pytest.fixture(scope="module")
def parameters() -> SafetyFilterParameters:
    return safety_configuration()[0]


@pytest.fixture(scope="module")
def oracle(parameters: SafetyFilterParameters) -> Oracle:
    return Oracle(urdf(), parameters)


def test_clearances_of_a_known_pose(oracle: Oracle) -> None:
    """At home the tool looks down: the pads' distances to table, box and ball can be told from the tool's pose."""
    R, p = (each[0] for each in oracle.robot.poses(JOINT_NAMES, HOME[None])["tool"])
    assert R[2, 2] < -0.999
    lowest = p[2] - 0.1
    found = {each.rule: each for each in oracle.clearances(HOME, [ball((p[0], p[1], lowest - 0.05), 0.05)])}
    assert found["obstacle"].what in ("left_finger – obstacle", "right_finger – obstacle")
    assert 0.05 < found["obstacle"].distance_m < 0.11
    beside = {each.rule: each for each in oracle.clearances(HOME, [box(p, (0.1, 0.2, 0.1))])}
    assert beside["obstacle"].distance_m < 0
    assert found["table"].distance_m > 0.0
    assert found["self_collision"].distance_m > 0.005


def test_pairs_that_always_overlap_are_a_note_and_no_finding(parameters: SafetyFilterParameters) -> None:
    """A ball in link4 that holds link6 wherever it turns: no command is to blame. The filter leaves such pairs out, too."""
    text = with_bodies(link4='<sphere radius="0.6"/>')
    report = Oracle(text, parameters).check(HOME[None])
    (note,) = [note for note in report.notes if "overlap wherever the joints are" in note]
    assert "link4 – link6" in note
    assert "link1 – link3" not in note
    found = {each.what for each in Oracle(text, parameters).clearances(HOME) if each.rule == "self_collision"}
    assert "link4 – link6" not in found


def test_what_no_commanded_joint_moves_is_not_judged(parameters: SafetyFilterParameters) -> None:
    """The fingers of an arm whose gripper somebody else drives: closed, they touch; a wheel stands in the table."""
    wheel = '<link name="wheel"><collision><geometry><sphere radius="0.1"/></geometry></collision></link>'
    axle = '<joint name="axle" type="continuous"><parent link="base"/><child link="wheel"/></joint>'
    text = urdf().replace("</robot>", wheel + axle + "</robot>")
    flat = flattened(dataclasses.asdict(parameters))
    seven = {key: value[:7] if isinstance(value, list) and len(value) == 8 else value for key, value in flat.items()}
    arm = from_mapping(SafetyFilterParameters, nested({**seven, "self_collision.allowed": []}))
    report = Oracle(text, arm).check(HOME[None, :7])
    assert not report.broken, report.text()


def test_of_many_samples_the_one_that_is_furthest_past_its_margin_is_found(oracle: Oracle) -> None:
    q = np.tile(HOME, (40, 1))
    q[:, 1] = np.linspace(-0.9, 1.2, 40)
    q = q[np.random.default_rng(3).permutation(40)]
    found = {each.rule: each for each in oracle.clearances(q)}
    assert found["table"].sample == int(q[:, 1].argmax())
    alone = {each.rule: each for each in oracle.clearances(q[found["table"].sample])}
    assert alone["table"].distance_m == found["table"].distance_m


def test_a_fence_of_planes_and_boxes_to_keep_out_of_are_judged_with_their_margins(
    parameters: SafetyFilterParameters,
) -> None:
    """The tool looks down at home: a plane and a box above the arm, 0.1 m and 0.2 m beyond its highest point."""
    fence = dataclasses.replace(parameters.fence, box=[], planes=[0.0, 0.0, 2.0, 4.0], margin_m=0.01)
    keep_out = dataclasses.replace(
        parameters.keep_out, boxes=[0.0, 0.0, 2.6, 1.0, 1.0, 1.0, 0.0, 0.0, 0.3], margin_m=0.02
    )
    oracle = Oracle(urdf(), dataclasses.replace(parameters, fence=fence, keep_out=keep_out))
    found = {each.rule: each for each in oracle.clearances(HOME)}
    assert found["keep_out"].distance_m - found["fence"].distance_m == pytest.approx(0.1, abs=1e-9)
    assert (found["fence"].margin_m, found["keep_out"].margin_m) == (0.01, 0.02)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tool.link": "nose", "tool.capsules": [0.0] * 6 + [0.1]}, "tool.link: 'nose' is not a link of the URDF"),
        ({"self_collision.allowed": ["hand nose"]}, "self_collision.allowed: 'hand nose': expected two links"),
        ({"self_collision.srdf": "nowhere.srdf"}, "self_collision.srdf: nowhere.srdf"),
    ],
)
def test_links_and_files_that_are_not_there_are_refused(
    parameters: SafetyFilterParameters, changes: dict[str, object], said: str
) -> None:
    flat = {**flattened(dataclasses.asdict(parameters)), **changes}
    with pytest.raises(ParameterError, match=said):
        Oracle(urdf(), from_mapping(SafetyFilterParameters, nested(flat)))
