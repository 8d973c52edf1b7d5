"""Limits on the time and the way until rest."""

from __future__ import annotations

import random

import numpy as np
import pytest

from test.unit.safety.geometry.motion import FREE, Model, adversarial_outputs
from test.unit.safety.simulated_arm import Arm, parameters
from vla_ros.safety.geometry.path_bounds import ArmPaths
from vla_ros.safety.geometry.stop_distance import StopDistance
from vla_ros.sim.arm_description import HOME

SWUNG = [1.2, *HOME[1:].tolist()]


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


def stops(model: Model, outputs: np.ndarray) -> tuple[int, float]:
    """Most ticks and longest way until rest, m, from any of the outputs, by the stop policy itself, tick by tick."""
    ticks, way = 0, 0.0
    whole = np.round(outputs * 1e9).astype(int)
    for i in range(2, len(whole), 7):
        q, last, before = (row.tolist() for row in (whole[i], whole[i - 1], whole[i - 2]))
        v = [a - b for a, b in zip(q, last, strict=True)]
        a = [x - (b - c) for x, b, c in zip(v, last, before, strict=True)]
        joints = [motion.at(0) for motion in model.motions]
        for joint, *state in zip(joints, q, v, a, strict=True):
            joint.q, joint.v, joint.a = state
        rows = [last, q]
        while any(joint.v or joint.a for joint in joints):
            for motion, joint in zip(model.motions, joints, strict=True):
                motion.stop(joint)
            rows.append([joint.q for joint in joints])
        poses = model.paths.kinematics.place(np.array(rows) / 1e9).poses
        for part in model.parts.parts:
            points = poses[:, part.joint, :3, :3] @ part.points[0] + poses[:, part.joint, :3, 3]
            way = max(way, float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()))
        ticks = max(ticks, len(rows) - 1)
    return ticks, way


def test_from_no_output_does_the_stop_take_longer_or_go_further(model: Model) -> None:
    free = stops(model, adversarial_outputs(parameters(**FREE), 400))
    assert free[0] > 50 and free[1] > 0.15
    changes = {"stop_distance.time_s": 0.2, "stop_distance.distance_m": 0.05}
    ticks, way = stops(model, adversarial_outputs(parameters(**{**FREE, **changes}), 700))
    assert 25 < ticks <= 50
    assert 0.02 < way <= 0.05


@pytest.mark.parametrize(("key", "value"), [("time_s", 0.16), ("distance_m", 0.02)])
def test_the_speed_is_lowered_so_that_it_holds_and_the_goal_is_reached(key: str, value: float) -> None:
    arm = Arm(**{**FREE, **{f"stop_distance.{key}": value}}).armed()
    assert "stop_distance" in arm.towards(SWUNG, 900, speed=2.0)
    assert arm.q[0] == pytest.approx(1.2, abs=0.01)
    fastest = max(d.velocities[0] for d in arm.decisions if d.positions)
    assert 0.2 < fastest < 1.0


def test_the_time_is_counted_to_the_tick(model: Model) -> None:
    arm = Arm(**{**FREE, **{"stop_distance.time_s": 0.16}}).armed()
    arm.towards(SWUNG, 150, speed=2.0)
    state = arm.filter.values
    path = ArmPaths.of(model.arm, model.limits, 0.004).candidate(state.joints, [(j.q, j.v, j.a) for j in state.joints])
    assert 30 <= path.ticks <= 40


def test_a_candidate_from_which_the_stop_takes_too_much_is_refused(model: Model) -> None:
    draw = random.Random(9)
    fast, slow = model.candidate(draw, 0.5), model.candidate(draw, 0.001)
    for key, value, text in (
        ("time_s", 0.12, "the stop would take 0."),
        ("distance_m", 0.02, " m until rest; 0.020 m"),
    ):
        rule = StopDistance(parameters(**{**FREE, f"stop_distance.{key}": value}), model.limits, model.arm)
        verdict = rule.check(*fast)
        assert verdict is not None and text in verdict.reason
        assert verdict.requested > verdict.limit == value
        assert rule.check(*slow) is None
