"""The cone of the tool's axis."""

from __future__ import annotations

import random

import numpy as np
import pytest

from test.unit.safety.geometry.motion import FREE, Model, adversarial_outputs, executed
from test.unit.safety.simulated_arm import URDF, Arm, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.tool_orientation import ToolOrientation
from vla_ros.sim.arm_description import HOME

CONE = {**FREE, "tool_orientation.direction": [0.0, 0.0, -2.0], "tool_orientation.angle_rad": 0.5}
"""At home the tool points down."""


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


def angles(model: Model, outputs: np.ndarray) -> np.ndarray:
    """(m,) rad between the hand's z axis and straight down in the executed motion."""
    joint, pose = model.arm.body_frame("hand", "tool.link")
    q, _ = executed(outputs)
    axes = model.paths.kinematics.place(q).poses[:, joint, :3, :3] @ pose.rotation[:, 2]
    found: np.ndarray = np.arccos(np.clip(-axes[:, 2], -1.0, 1.0))
    return found


def test_the_tool_stays_in_the_cone_whatever_is_asked(model: Model) -> None:
    assert angles(model, adversarial_outputs(parameters(**FREE), 300)).max() > 0.8
    found = angles(model, adversarial_outputs(parameters(**CONE), 700))
    assert 0.3 < found.max() <= 0.5


def test_the_bound_holds_for_every_instant_of_a_path(model: Model) -> None:
    rule = ToolOrientation(parameters(**CONE), model.limits, model.arm)
    draw = random.Random(8)
    for share in (0.1, 0.5):
        for _ in range(10):
            state, before = model.candidate(draw, share)
            path = model.paths.candidate(state.joints, before)
            bound = rule._bounds(path.placement, path.boxes[1]).max()
            assert angles(model, model.outputs(state, before)).max() <= bound + 1e-9


def test_the_arm_comes_to_rest_before_the_cone_and_slides_along_it(model: Model) -> None:
    arm = Arm(**CONE).armed()
    goal = HOME.tolist()
    goal[0], goal[5], goal[6] = goal[0] + 1.0, goal[5] + 0.57, goal[6] + 1.0
    arm.decisions.clear()
    assert "tool_orientation" in arm.towards(goal, 450)
    refused = [each.verdict for each in arm.decisions if each.verdict and "on the way to rest" in each.verdict.reason]
    assert refused == [], "it is slowed, so that no step has to be refused"
    assert arm.q[0] == pytest.approx(goal[0], abs=0.01) and arm.q[6] == pytest.approx(goal[6], abs=0.01)
    found = angles(model, np.array([each.positions for each in arm.decisions]))
    assert 0.495 < found[-1] <= found.max() <= 0.5


def test_arming_outside_the_cone_is_refused() -> None:
    tilted = HOME.tolist()
    tilted[5] += 0.9
    arm = Arm(**CONE)
    arm.q = tilted
    arm.settle()
    done, text = arm.filter.arm(arm.now_ns)
    assert not done and "tool_orientation: the tool may be 0.9" in text


def test_what_is_no_direction_is_named() -> None:
    with pytest.raises(ParameterError, match=r"tool_orientation.direction: needs tool.link"):
        SafetyFilter.from_urdf(parameters(**{**CONE, "tool.link": ""}), URDF)
    for key in ("tool_orientation.direction", "tool.axis"):
        with pytest.raises(ParameterError, match=f"{key}: must be a direction"):
            SafetyFilter.from_urdf(parameters(**{**CONE, key: [0.0, 0.0, 0.0]}), URDF)
    with pytest.raises(ParameterError, match=r"tool_orientation.direction: expected 3 values each, got 6"):
        parameters(**{"tool_orientation.direction": [1.0] * 6})
