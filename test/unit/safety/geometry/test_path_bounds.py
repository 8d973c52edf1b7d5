"""Bounds of what the arm does in a step and on the way to rest."""

from __future__ import annotations

import random

import numpy as np
import pytest

from test.unit.safety.geometry.motion import PERIOD_S, Model, executed, speeds
from vla_ros.safety.geometry.path_bounds import CELL, ArmPaths
from vla_ros.safety.joint.joint_limits import NANO
from vla_ros.safety.joint.joint_motion import JointOutput
from vla_ros.safety.state import FilterState

MODEL = Model()
ANYTHING = np.zeros(len(MODEL.parts.names))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.9])
def test_no_instant_of_the_executed_motion_is_faster_than_the_bounds(share: float) -> None:
    draw = random.Random(3)
    tight = []
    for _ in range(12):
        state, before = MODEL.candidate(draw, share)
        path = MODEL.paths.candidate(state.joints, before)
        found = speeds(MODEL, MODEL.outputs(state, before)).max(axis=0)
        bound = path.speeds(MODEL.parts, ANYTHING).max(axis=0)
        assert (found <= bound).all()
        assert (found <= path.quick_speeds(MODEL.parts)).all()
        assert (bound <= path.speeds(MODEL.parts, ANYTHING + np.inf).max(axis=0) + 1e-12).all()
        tight.append(float(found.max() / bound.max()))
    assert np.median(tight) > 0.7, "nor are they far above it"


def test_no_point_goes_further_until_rest_than_the_bounds() -> None:
    draw = random.Random(4)
    for share in (0.1, 0.5):
        state, before = MODEL.candidate(draw, share)
        path = MODEL.paths.candidate(state.joints, before)
        outputs = MODEL.outputs(state, before)[2:]
        way = speeds(MODEL, np.repeat(outputs, 1, axis=0)).max(axis=0)  # any speed: the parts do move
        assert (way > 0.0).any()
        steps = np.abs(np.diff(outputs, axis=0)).sum(axis=0)
        assert (steps <= path.travel + 1e-12).all()
        poses = MODEL.paths.kinematics.place(outputs).poses
        for b, part in enumerate(MODEL.parts.parts):
            points = poses[:, part.joint, :3, :3] @ part.points[0] + poses[:, part.joint, :3, 3]
            length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
            assert length <= path.distances(MODEL.parts, ANYTHING)[b] + 1e-9
            assert length <= path.quick_distances(MODEL.parts)[b] + 1e-9


def test_positions_stay_in_the_boxes_and_within_the_spread() -> None:
    draw = random.Random(5)
    for share in (0.1, 0.8):
        state, before = MODEL.candidate(draw, share)
        path = MODEL.paths.candidate(state.joints, before)
        q, dq = executed(MODEL.outputs(state, before))
        middle, half = path.boxes
        inside = (np.abs(q[:, None] - middle) <= half + 1e-12).all(axis=2).any(axis=1)
        assert inside.all()
        assert (np.abs(dq).max(axis=0) <= path.peak_rates + 1e-9).all()
        for at in ([q for q, _, _ in before], [joint.q for joint in state.joints]):
            assert (np.abs(q - np.array(at) / 1e9) <= path.spread + 1e-9).all()


def test_the_rates_are_those_of_the_stop_policy() -> None:
    state, before = MODEL.candidate(random.Random(6), 0.5)
    path = MODEL.paths.candidate(state.joints, before)
    outputs = MODEL.outputs(state, before)
    assert np.allclose(np.diff(outputs[: path.ticks + 4], axis=0), path.rates * PERIOD_S, atol=1e-12)
    assert path.ticks == len(outputs) - 6


def test_at_rest_nothing_moves() -> None:
    joints = [JointOutput(0, 0, 0) for _ in MODEL.limits]
    path = MODEL.paths.candidate(joints, [(0, 0, 0)] * 8)
    assert not path.moving and path.ticks == 0
    assert path.speeds(MODEL.parts, ANYTHING).max() < 1e-6


def test_rules_of_one_arm_share_its_paths_and_ask_for_a_candidate_once() -> None:
    assert ArmPaths.of(MODEL.arm, MODEL.limits, PERIOD_S) is MODEL.paths
    state, before = MODEL.candidate(random.Random(7), 0.5)
    path = MODEL.paths.candidate(state.joints, before)
    copied = FilterState(joints=[JointOutput(joint.q, joint.v, joint.a) for joint in state.joints])
    assert MODEL.paths.candidate(copied.joints, list(before)) is path
    copied.joints[0].v += 1
    assert MODEL.paths.candidate(copied.joints, list(before)) is not path


def test_the_quick_bound_of_a_configuration_holds_and_depends_on_it_alone() -> None:
    draw = random.Random(7)
    for _ in range(30):
        state, _ = MODEL.candidate(draw, 0.3)
        q = [joint.q for joint in state.joints]
        rates = np.array([draw.uniform(-2.0, 2.0) for _ in q])
        bound = MODEL.paths.quick_speeds_at(MODEL.parts, q, rates)
        assert (MODEL.paths.speeds_at(MODEL.parts, q, rates, ANYTHING) <= bound + 1e-12).all()
        MODEL.paths.placement_near([x + CELL for x in q])
        assert (MODEL.paths.quick_speeds_at(MODEL.parts, q, rates) == bound).all()
        _, off = MODEL.paths.placement_near(q)
        assert (off <= CELL / 2 / NANO + 1e-15).all()
