"""Reduced mode, by its input and by planes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from test.unit.safety.geometry.motion import FREE, Model, adversarial_outputs, executed, speeds
from test.unit.safety.simulated_arm import URDF, Arm, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.reduced_mode import ReducedMode
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME

INPUT = {**FREE, "reduced_mode.input": True}
PLANE = {**FREE, "reduced_mode.planes": [0.0, 2.0, 0.0, 0.4]}
"""Beyond y = 0.2 m."""
SWUNG = [1.2, *HOME[1:].tolist()]


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


def swung(ticks: int, said: list[bool | None], **changes: Any) -> Arm:
    """An arm that joint1 swings, while the input says something in each tick."""
    arm = Arm(**changes)
    measure = arm.measure

    def measure_and_say() -> None:
        measure()
        if said and (word := said[min(len(arm.decisions), len(said) - 1)]) is not None:
            arm.filter.reduced(arm.now_ns, word)

    arm.measure = measure_and_say  # type: ignore[method-assign]
    arm.armed().decisions.clear()
    arm.towards(SWUNG, ticks, speed=2.0)
    return arm


def test_in_reduced_mode_no_instant_is_faster_than_its_limits(model: Model) -> None:
    outputs = adversarial_outputs(parameters(**INPUT, **{"reduced_mode.joint_share": 0.2}), 900, reduced=range(10**6))
    found = speeds(model, outputs)
    assert 0.15 < found.max() <= 0.25
    _, dq = executed(outputs)
    assert (np.abs(dq).max(axis=0) <= 0.2 * np.array([joint.velocity for joint in model.limits]) + 1e-9).all()


def test_when_it_begins_the_arm_brakes_by_the_stop_policy_until_it_is_slow_enough(model: Model) -> None:
    arm = swung(200, [False] * 120 + [True], **INPUT)
    found = speeds(model, np.array([d.positions for d in arm.decisions if d.positions])).reshape(
        2, -1, len(model.parts.names)
    )
    fastest = found.max(axis=(0, 2))
    assert fastest[:118].max() > 0.5
    ticks = next(i for i in range(120, 200) if fastest[i] <= 0.25) - 120
    braked = np.diff([d.velocities[0] for d in arm.decisions[124 : 118 + ticks]]) / 0.004
    assert ticks <= 60 and np.allclose(braked, -7.5, rtol=1e-3), "full brake"
    assert fastest[120 + ticks :].max() <= 0.25
    rules = {d.verdict.rule for d in arm.decisions[125:] if d.verdict is not None}
    assert rules == {"reduced_mode"} and arm.filter.in_reduced_mode()
    assert arm.filter.state is State.LIMITING, "it goes on, slower"


def test_only_false_ends_it_and_silence_begins_it() -> None:
    arm = swung(60, [False], **INPUT)
    assert not arm.filter.in_reduced_mode()
    arm.measure = type(arm).measure.__get__(arm)  # type: ignore[method-assign]
    arm.tick(130)
    assert arm.filter.in_reduced_mode(), "silent for more than 0.5 s"
    arm.filter.reduced(arm.now_ns, True)
    arm.filter.reduced(arm.now_ns, False)
    assert not arm.filter.in_reduced_mode()
    assert swung(5, [None], **INPUT).filter.in_reduced_mode(), "nothing was heard yet"


def test_before_a_body_passes_the_plane_it_is_slow(model: Model) -> None:
    arm = swung(700, [], **PLANE)
    outputs = np.array([d.positions for d in arm.decisions if d.positions])
    found, (q, _) = speeds(model, outputs), executed(outputs)
    reach = model.parts.furthest_along(model.paths.kinematics.place(q).poses, np.array([[0.0, 1.0, 0.0]]))[:, :, 0]
    beyond = (reach > 0.2).any(axis=1)
    assert beyond.any() and found[beyond].max() <= 0.25
    assert found[~beyond].max() > 0.4
    assert arm.filter.in_reduced_mode() and not swung(3, [], **PLANE).filter.in_reduced_mode()


def test_on_the_way_to_a_plane_it_slows_down_before_its_steps_are_refused() -> None:
    arm = Arm(**{**FREE, "reduced_mode.planes": [0.0, 0.0, 1.0, 0.9]}).armed()
    raised = [q + by for q, by in zip(HOME, (0.0, -0.6, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0), strict=True)]
    arm.towards(raised, 400)
    reasons = [each.verdict.reason for each in arm.decisions if each.verdict and each.verdict.rule == "reduced_mode"]
    assert arm.filter.in_reduced_mode()
    assert sum("slowed to" in reason for reason in reasons) > 100
    assert sum("slowed to" not in reason for reason in reasons) < 30


def test_a_plane_holds_back_an_adversarial_stream_too(model: Model) -> None:
    changes = {**PLANE, "reduced_mode.planes": [0.0, 1.0, 0.0, 0.1, 0.0, 0.0, 1.0, 0.9]}
    outputs = adversarial_outputs(parameters(**changes), 900, seed=2)
    found, (q, _) = speeds(model, outputs), executed(outputs)
    normals = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    reach = model.parts.furthest_along(model.paths.kinematics.place(q).poses, normals)
    beyond = (reach > np.array([0.1, 0.9])).any(axis=(1, 2))
    assert beyond.any()
    assert found[beyond].max() <= 0.25


def test_a_plane_without_a_direction_is_named() -> None:
    with pytest.raises(ParameterError, match=r"reduced_mode.planes: plane 1 has the normal 0 0 0"):
        SafetyFilter.from_urdf(parameters(**{**FREE, "reduced_mode.planes": [0.0, 0.0, 0.0, 1.0]}), URDF)
    with pytest.raises(ParameterError, match=r"reduced_mode.planes: expected 4 values each, got 3"):
        parameters(**{"reduced_mode.planes": [0.0, 0.0, 1.0]})


def test_the_input_is_part_of_the_state() -> None:
    assert FilterState().reduced_ns is None and not FilterState().reduced


def test_a_candidate_with_a_joint_above_its_share_is_refused(model: Model) -> None:
    changes = {**INPUT, "reduced_mode.speed_m_s": 100.0, "reduced_mode.joint_share": 0.2}
    rule = ReducedMode(parameters(**changes), model.limits, model.arm)
    draw = random.Random(9)
    verdict = rule.check(*model.candidate(draw, 0.9))
    assert verdict is not None and "reduced mode allows" in verdict.reason and verdict.joint
    assert verdict.requested > verdict.limit
    assert rule.check(*model.candidate(draw, 0.01)) is None
